import { Link } from '@tanstack/react-router';
import type { ToolState } from '@toolstream/react';
import { RotateCcw } from 'lucide-react';
import { attemptWords } from '../model/attempts.ts';
import { Notice } from '../parts/Notice.tsx';
import { useServiceNow } from '../use-service-now.ts';

/** Which attempt this is, and that nothing of those before it counts. Their events stay, and can be looked at. */
export function Attempts({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  const now = useServiceNow(id, tool.status === 'retrying');
  const words = attemptWords(tool, now);
  if (!words) return null;
  return (
    <div data-testid="attempts">
      <Notice tone={tool.ended_at === undefined ? 'warn' : 'still'} Icon={RotateCcw} title={words.title}>
        <p>
          {words.text}{' '}
          <Link to="." search={(prev: object) => ({ ...prev, tab: 'events' as const })} resetScroll={false}>
            See every attempt in the events
          </Link>
        </p>
      </Notice>
    </div>
  );
}
