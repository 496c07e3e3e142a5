import { useSyncExternalStore } from 'react';
import { announcer } from './announce.ts';

/** Once per page, in the shell: where `announce` and `alertNow` are read out. Nothing is shown and no focus moves. */
export function LiveRegion() {
  const { polite, alert } = useSyncExternalStore(announcer.subscribe, () => announcer.spoken);
  return (
    <div className="visually-hidden">
      <div role="status" aria-live="polite" data-testid="announcements">
        {polite}
      </div>
      <div role="alert" data-testid="alerts">
        {alert}
      </div>
    </div>
  );
}
