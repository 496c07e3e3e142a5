import { workspacePath } from '@toolstream/proto-events';
import { ToolFailure } from './failure.ts';

/** The one spelling of a workspace path, for a tool that has to compare or keep it; fails as the workspace would. */
export function normalPath(input: string): string {
  const read = workspacePath(input);
  if ('path' in read) return read.path;
  throw new ToolFailure(read.refused);
}
