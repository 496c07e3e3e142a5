import { elapsed } from '../model/elapsed.ts';
import { endOf, type Span } from '../model/spans.ts';
import { shareOf, type Viewport } from '../model/viewport.ts';
import styles from './Chart.module.css';

export interface BarProps {
  readonly span: Span;
  readonly view: Viewport;
  readonly width: number;
  readonly now: number;
  readonly current: boolean;
}

const HEIGHT = 24;
/** Bars of no visible length are still seen. */
const NARROWEST = 2;
const ROOM_FOR_WORDS = 56;

/** What distinguishes the kinds besides their colours: thin for waits, full for what runs, striped for what is held. */
export function Bar({ span, view, width, now, current }: BarProps) {
  const end = endOf(span, now);
  if (end < view.from || span.from > view.to) return null;
  const left = Math.max(-4, shareOf(view, span.from) * width);
  const right = Math.min(width + 4, shareOf(view, end) * width);
  const length = Math.max(NARROWEST, right - left);
  const thin = span.kind === 'waiting' || span.kind === 'retry';
  const y = thin ? 9 : span.kind === 'queued' ? 6 : 2;
  return (
    <g data-span={span.kind} data-from={span.from} data-to={span.to} data-attempt={span.attempt}>
      <rect
        x={left}
        y={y}
        width={length}
        height={HEIGHT - 2 * y}
        rx={thin ? 2 : 3}
        className={`${styles.bar} ${styles[toneOf(span)]}`}
      />
      {(span.kind === 'paused' || span.kind === 'approval') && (
        <rect
          x={left}
          y={y}
          width={length}
          height={HEIGHT - 2 * y}
          rx={3}
          fill={`url(#stripes-${span.kind})`}
          pointerEvents="none"
        />
      )}
      {current && (
        <rect
          x={left - 2}
          y={0.5}
          width={length + 4}
          height={HEIGHT - 1}
          rx={4}
          className={styles.currentBar}
          pointerEvents="none"
        />
      )}
      {span.kind === 'running' && length > ROOM_FOR_WORDS && (
        <text x={Math.max(left, 0) + 6} y={HEIGHT / 2 + 4} className={styles.words}>
          {words(span, end, Math.min(right, width) - Math.max(left, 0))}
        </text>
      )}
    </g>
  );
}

function words(span: Span, end: number, room: number): string {
  const length = end - span.from;
  const time = elapsed(length, length < 10_000 ? 10 : 1_000);
  return span.attempt > 1 && room > 130 ? `attempt ${span.attempt} · ${time}` : time;
}

/** Colours are those of the states that they stand for. */
function toneOf({ kind, to, outcome }: Span): string {
  if (kind !== 'running') return kind;
  if (to === undefined) return 'runs';
  if (outcome === 'failed' || outcome === 'denied') return 'failed';
  if (outcome === 'succeeded') return 'succeeded';
  // A pause cut it short: it goes on after it.
  return outcome === undefined ? 'runs' : 'ended';
}
