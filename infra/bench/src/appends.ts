import { withCleanup } from './cleanup.ts';
import type { BenchOptions } from './options.ts';
import { alternate, median } from './pairs.ts';
import { Peer } from './peer.ts';
import type { Load, LoadSetup } from './peers/load.ts';
import { compared, type Report, type Row } from './report.ts';
import { benchNats, floorStream } from './servers.ts';

const SUBJECTS = 64;
/** Numbers in flight tried for the floor that may pipeline as it likes. */
const PIPELINES = [128, 256, 512, 1_024];
const TARGET = { sense: 'at_least', value: 0.5 } as const;
const PLACE = { benchmark: 'appends', unit: '/s' };

/**
 * What the fence costs: progress events appended through the event log, one in flight on each of 64 subjects, against
 * plain acknowledged publishes of the same payload to a stream that does nothing else.
 */
export function appends({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const { url: natsUrl } = await benchNats(cleanup);
    await floorStream(natsUrl, 'plain', false);
    await floorStream(natsUrl, 'republished', true);
    const start = async (to: LoadSetup['to']) => {
      const peer = cleanup.add(new Peer('load'), (started) => started.stop());
      await peer.call('setUp', { natsUrl, to } satisfies LoadSetup);
      return async (inFlight: number) => {
        const load: Load = { subjects: SUBJECTS, inFlight, seconds: quick ? 1 : 2 };
        return (await peer.call<{ perSecond: number }>('run', load)).perSecond;
      };
    };
    const log = await start('log');
    const plain = await start({ prefix: 'plain' });
    const republished = await start({ prefix: 'republished' });

    const pipeline = await bestOf(PIPELINES, plain);
    say(`plain publishing is fastest with ${pipeline} in flight`);
    const results = await alternate(
      {
        log: () => log(SUBJECTS),
        plain: () => plain(SUBJECTS),
        republished: () => republished(SUBJECTS),
        pipelined: () => plain(pipeline),
      },
      { rounds: quick ? 3 : 7, warmUp: 1, restMs: 100 },
      (round, { log: ours, plain: floor }) =>
        say(`round ${round + 1}: ${Math.round(ours)}/s fenced, ${Math.round(floor)}/s plain`),
    );
    const rows: Row[] = [
      compared({ ...PLACE, name: `fenced, ${SUBJECTS} subjects` }, results.log, results.plain, TARGET),
      compared({ ...PLACE, name: 'fenced / plain to a republishing stream' }, results.log, results.republished),
      compared({ ...PLACE, name: `fenced / plain, ${pipeline} in flight` }, results.log, results.pipelined),
    ];
    return { rows, notes: [] };
  });
}

async function bestOf(candidates: readonly number[], measure: (inFlight: number) => Promise<number>): Promise<number> {
  const rates: number[] = [];
  for (const candidate of candidates) {
    const samples = [await measure(candidate), await measure(candidate)];
    rates.push(median(samples));
  }
  return candidates[rates.indexOf(Math.max(...rates))]!;
}
