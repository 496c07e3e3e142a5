import { useCallback, useEffect, useRef, useState } from 'react';
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
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  useEffect(() => {
    if (!playing) return;
    const head = new Playhead(latest.current.columns, latest.current.index ?? 0);
    let last = performance.now();
    let frame = requestAnimationFrame(function step(now) {
      const { ready, columns, go, onEnd } = latest.current;
      if (ready && head.advance(now - last, speed)) go(head.index);
      last = now;
      if (head.index < columns.length - 1) {
        frame = requestAnimationFrame(step);
        return;
      }
      setPlaying(false);
      onEnd();
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, speed]);

  const play = useCallback(() => {
    const { columns, index, go } = latest.current;
    if (index === undefined || index >= columns.length - 1) go(0);
    setPlaying(true);
  }, []);
  const stop = useCallback(() => setPlaying(false), []);
  return { playing, speed, setSpeed, play, stop };
}
