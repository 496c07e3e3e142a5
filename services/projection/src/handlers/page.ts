/** Where a list goes on: behind the row with this acceptance time and id. Opaque to callers. */
export interface Page {
  readonly acceptedAt: string;
  readonly runId: string;
}

export const formatPage = ({ acceptedAt, runId }: Page): string =>
  Buffer.from(`${acceptedAt} ${runId}`).toString('base64url');

const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S{1,64})$/;

export function parsePage(text: string): Page | undefined {
  const match = FORM.exec(Buffer.from(text, 'base64url').toString());
  if (!match) return undefined;
  const [, acceptedAt, runId] = match as unknown as [string, string, string];
  return Number.isNaN(Date.parse(acceptedAt)) ? undefined : { acceptedAt, runId };
}
