import { useMemo } from 'react';
import { useIdentity } from '../../session/index.ts';
import type { Viewer } from './model/controls.ts';

/** Who looks, as far as it decides what is offered. */
export function useViewer(): Viewer {
  const { sub, can } = useIdentity();
  return useMemo(
    () => ({ actor: sub, admin: can('admin'), control: can('runs:control'), write: can('runs:write') }),
    [sub, can],
  );
}
