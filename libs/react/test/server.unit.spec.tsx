// @vitest-environment jsdom
import { act } from '@testing-library/react';
import type { ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RunProgress, ToolCallList, ToolstreamProvider, useConnection, useRun, useRuns } from '../src/index.ts';
import { aRun, at, running, succeeded } from './a-run.ts';

const run = aRun([
  succeeded(0, 2),
  running(2, { progress: { stage: 'writing', progress: 40, at: at(3) }, measured: 40 }),
]);
const ended = { ...run, status: 'succeeded', ended_at: at(9), cursor: 'e.0:1' } as const;

const Given = ({ children }: { children: ReactNode }) => (
  // As on a server: an address that only a page can complete.
  <ToolstreamProvider url="/" token="a-token">
    {children}
  </ToolstreamProvider>
);

function View({ initial }: { initial?: typeof ended }): ReactNode {
  useRun(run.run_id, { initial });
  const { status } = useConnection();
  const { runs } = useRuns({ app: undefined });
  return (
    <>
      <p>
        {status} {runs.length}
      </p>
      <RunProgress runId={run.run_id} fallback={<p>Loading</p>} />
      <ToolCallList runId={run.run_id} />
    </>
  );
}

afterEach(() => {
  document.body.innerHTML = '';
  vi.restoreAllMocks();
});

describe('on a server', () => {
  it('what is not known yet is rendered as such, without a client or a connection', () => {
    const html = renderToString(
      <Given>
        <View />
      </Given>,
    );
    expect(html).toContain('Loading');
    expect(html).toContain('idle');
  });

  it('a state that was fetched there is rendered with it, without anything that depends on the time', () => {
    const html = renderToString(
      <Given>
        <View initial={ended} />
      </Given>,
    );
    expect(html).toContain('2 calls done');
    expect(html).toContain('data-status="running"');
    expect(html).not.toContain('style=');
  });
});

describe('hydrated', () => {
  it('is what the server rendered, and live regions are added by the page', async () => {
    const complaints = vi.spyOn(console, 'error');
    const recoverable = vi.fn();
    const tree = (
      <Given>
        <View initial={ended} />
      </Given>
    );
    document.body.innerHTML = `<div id="root">${renderToString(tree)}</div>`;
    const container = document.getElementById('root')!;
    const root = await act(() => hydrateRoot(container, tree, { onRecoverableError: recoverable }));
    expect(recoverable).not.toHaveBeenCalled();
    expect(complaints).not.toHaveBeenCalled();
    expect(container.querySelector('[role=status]')).not.toBeNull();
    act(() => root.unmount());
  });
});
