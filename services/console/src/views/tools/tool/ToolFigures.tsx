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
        term="Duration p50"
        value={orDash(figures?.duration_p50_ms, fineDuration)}
        note="half of them took no longer"
      />
      <Figure term="Duration p95" value={orDash(figures?.duration_p95_ms, fineDuration)} note="95 % took no longer" />
      <Figure
        term="Queue time p50"
        value={orDash(figures?.queue_p50_ms, fineDuration)}
        note="half of them waited no longer"
      />
      <Figure term="Queue time p95" value={orDash(figures?.queue_p95_ms, fineDuration)} note="95 % waited no longer" />
    </Figures>
  );
}
