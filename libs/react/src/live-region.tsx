import { type CSSProperties, type ReactNode, useRef, useSyncExternalStore } from 'react';
import { type Announcements, Announcer } from './announcer.ts';
import type { Progress } from './progress.ts';
import type { RunState } from './types.ts';

/** Seen by nobody, read to those who do not see. Written as a style and not a class: these components bring no style sheet. */
const HIDDEN: CSSProperties = {
  position: 'absolute',
  width: 1,
  height: 1,
  margin: -1,
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
};

const never = () => () => {};
/** `false` on a server and while hydrating: what is told is told by a page that lives. */
const useLive = (): boolean =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  );

export function LiveRegion({ run, progress }: { readonly run: RunState; readonly progress: Progress }): ReactNode {
  const live = useLive();
  const announcer = useRef<{ of: string; announcer: Announcer; said: Announcements; for?: Progress } | undefined>(
    undefined,
  );
  if (announcer.current?.of !== run.run_id) {
    announcer.current = { of: run.run_id, announcer: new Announcer(), said: { status: '', alert: '' } };
  }
  const { current } = announcer;
  if (live && current.for !== progress) {
    current.for = progress;
    current.said = current.announcer.next(run, progress, Date.now());
  }
  if (!live) return null;
  return (
    <>
      <span role="status" style={HIDDEN}>
        {current.said.status}
      </span>
      <span role="alert" style={HIDDEN}>
        {current.said.alert}
      </span>
    </>
  );
}
