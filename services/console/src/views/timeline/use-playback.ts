import { useEffect, useEffectEvent, useState } from 'react';
import type { Columns } from './model/columns.ts';
import { Playhead } from './model/playhead.ts';

export const SPEEDS = [1, 4, 16, 64] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Playback {
  readonly playing: boolean;
  readonly speed: Speed;
  readonly setSpeed: (speed: Speed) => void;
  /** From the moment that is shown, or from the beginning. */
  readonly play: () => void;
  readonly stop: () => void;
}

export interface PlaybackOptions {
  readonly columns: Columns;
  readonly index: number | undefined;
  /** The state of the moment is there; until it is, time stands still. */
  readonly ready: boolean;
  readonly go: (index: number) => void;
  /** The last event was reached. */
  readonly onEnd: () => void;
}

/** Plays the run through, at a speed, waits cut short. */
export function usePlayback(options: PlaybackOptions): Playback {
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<Speed>(4);
  const { columns, index, ready, go, onEnd } = options;

  const begin = useEffectEvent(() => new Playhead(columns, index ?? 0));
  /** Returns whether there is more to play. */
  const advance = useEffectEvent((head: Playhead, ms: number): boolean => {
    if (ready && head.advance(ms, speed)) go(head.index);
    if (head.index < columns.length - 1) return true;
    setPlaying(false);
    onEnd();
    return false;
  });
  useEffect(() => {
    if (!playing) return;
    const head = begin();
    let last = performance.now();
    let frame = requestAnimationFrame(function paint(now) {
      const goesOn = advance(head, now - last);
      last = now;
      if (goesOn) frame = requestAnimationFrame(paint);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing]);

  const play = () => {
    if (index === undefined || index >= columns.length - 1) go(0);
    setPlaying(true);
  };
  return { playing, speed, setSpeed, play, stop: () => setPlaying(false) };
}
