import { Figure, Figures, fineDuration, orDash } from '../../../charts/index.ts';
import { count, counted, share } from '../../../format/index.ts';
import type { ToolFigures } from '../model/tool-rows.ts';

/** The figures of the window. `–`: nothing of it was measured. */
export function ToolFiguresList({ figures }: { readonly figures: ToolFigures | undefined }) {
  const succeeded = figures?.succeeded ?? 0;
  const failed = figures?.failed ?? 0;
  const cancelled = (figures?.runs ?? 0) - succeeded - failed;
  return (
    <Figures label="Figures of this time">
      <Figure
        term="Calls"
        value={count(figures?.runs ?? 0)}
        note={cancelled > 0 ? `${count(cancelled)} of them cancelled` : 'that ended'}
      />
      <Figure term="Success rate" value={orDash(figures?.success_rate, share)} note={counted(failed, 'failure')} />
      <Figure
        term="Duration, half of them"
        value={orDash(figures?.duration_p50_ms, fineDuration)}
        note="p50, or less"
      />
      <Figure term="Duration, nearly all" value={orDash(figures?.duration_p95_ms, fineDuration)} note="p95, or less" />
      <Figure term="Queue time, half of them" value={orDash(figures?.queue_p50_ms, fineDuration)} note="p50, or less" />
      <Figure term="Queue time, nearly all" value={orDash(figures?.queue_p95_ms, fineDuration)} note="p95, or less" />
    </Figures>
  );
}
