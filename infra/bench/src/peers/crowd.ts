import { type CrowdReport, Follower, type Place, reportOf } from '../follower.ts';
import { serve } from './serve.ts';

const AT_ONCE = 50;
let followers: Follower[] = [];

/** Clients that keep their place: they are dropped, come back with what they last had, and prove that nothing is missing. */
serve({
  /** Bounded, so that nothing but the connections' own work is seen later. */
  async connect({ places }: { places: readonly Place[] }) {
    const joining = places.map((place) => new Follower(place));
    followers.push(...joining);
    for (let begun = 0; begun < joining.length; begun += AT_ONCE) {
      await Promise.all(joining.slice(begun, begun + AT_ONCE).map((follower) => follower.join()));
    }
  },
  drop() {
    for (const follower of followers) follower.drop();
    followers = followers.map((follower) => follower.successor());
  },
  /** All at once; resolves when everybody is caught up. */
  async comeBack() {
    const failures = await Promise.all(
      followers.map((follower) => follower.join().catch((error: Error) => error.message)),
    );
    const failure = failures.find((message) => message !== undefined);
    if (failure !== undefined) throw new Error(failure);
  },
  /** From now on: whoever is sent away goes to this address when it was told to, with its place. */
  moveTo({ url }: { url: string }) {
    for (const [at, follower] of followers.entries()) {
      follower.onAway = (successor) => {
        followers[at] = successor;
      };
      follower.moveTo(url);
    }
  },
  read: ({ expected }: { expected: Record<string, number> }): CrowdReport => reportOf(followers, expected),
  leave() {
    for (const follower of followers) follower.drop();
    followers = [];
  },
});
