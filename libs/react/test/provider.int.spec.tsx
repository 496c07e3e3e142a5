// @vitest-environment jsdom
import { render, screen, waitFor } from '@testing-library/react';
import type { ServerFrame } from '@toolstream/proto-events';
import { type ReactNode, StrictMode } from 'react';
import { describe, expect, it } from 'vitest';
import { ToolstreamProvider, useRun, useRuns, useToolstream } from '../src/index.ts';
import { livePage, RUN, SOCKETS, Story } from './page.tsx';

const page = livePage();

function Status(): ReactNode {
  const { status, error } = useRun(RUN);
  return <p data-testid="status">{error?.code ?? status}</p>;
}
function Given({ tell }: { tell: (client: unknown) => void }): ReactNode {
  tell(useToolstream());
  return null;
}
const shows = (text: string) => waitFor(() => expect(screen.getByTestId('status').textContent).toBe(text));
const closed = () => waitFor(() => expect(page.edge.peers.at(-1)!.socket.readyState).toBe(3), { timeout: 4_000 });

describe('a provider that is given an address', () => {
  it('makes one client, also under StrictMode, and closes it when it goes', async () => {
    new Story(page.edge, 1);
    const { unmount } = render(
      <StrictMode>
        <ToolstreamProvider url={page.edge.url} token="a-token" {...SOCKETS}>
          <Status />
        </ToolstreamProvider>
      </StrictMode>,
    );
    await shows('live');
    expect(page.edge.peers).toHaveLength(1);
    unmount();
    await closed();
  });

  it('asks the newest token function, and makes no other client for it', async () => {
    new Story(page.edge, 1);
    const tree = (token: string) => (
      <ToolstreamProvider url={page.edge.url} token={() => token} {...SOCKETS}>
        {token === 'second' && <Status />}
      </ToolstreamProvider>
    );
    const { rerender } = render(tree('first'));
    rerender(tree('second'));
    await shows('live');
    expect(page.edge.frames('hello')).toMatchObject([{ token: 'second' }]);
  });

  it('makes another client for another fixed token, which the old one’s refusal does not touch', async () => {
    new Story(page.edge, 1);
    page.edge.admit = (token) => (token === 'good' ? undefined : 4001);
    const tree = (token: string) => (
      <ToolstreamProvider url={page.edge.url} token={token} {...SOCKETS}>
        <Status />
      </ToolstreamProvider>
    );
    const { rerender } = render(tree('bad'));
    await waitFor(() => expect(screen.getByTestId('status').textContent).not.toMatch(/loading|live/));
    rerender(tree('good'));
    await shows('live');
  });
});

describe('a provider that is given a client', () => {
  it('leaves it open when it goes', async () => {
    new Story(page.edge, 1);
    const client = page.client();
    const { unmount } = page.show(<Status />, { client, strict: true });
    await shows('live');
    unmount();
    await waitFor(() => expect(page.edge.frames('unsubscribe')).toHaveLength(1), { timeout: 4_000 });
    expect(client.connection.status).toBe('open');
  });

  it('hands it out', () => {
    const client = page.client();
    const given: unknown[] = [];
    page.show(<Given tell={(it) => void given.push(it)} />, { client });
    expect(given[0]).toBe(client);
  });

  it('whose end is told to who watches through it', async () => {
    new Story(page.edge, 1);
    const { client } = page.show(<Status />);
    await shows('live');
    client.close();
    await shows('client_closed');
  });
});

const NO_RUNS: ServerFrame = {
  type: 'snapshot',
  app: 'app-1',
  cursor: 'e1.0:9',
  reason: 'cold',
  state: { runs: [], more: true },
};

describe('an app', () => {
  it('is watched for its live runs', async () => {
    page.edge.intercept = (frame, peer) => {
      if (frame.type === 'hello') queueMicrotask(() => peer.send(NO_RUNS));
      return false;
    };
    page.show(<Runs />);
    await waitFor(() => expect(screen.getByTestId('status').textContent).toBe('live 0 more'));
  });
});

function Runs(): ReactNode {
  const { runs, status, more } = useRuns({ app: 'app-1' });
  return (
    <p data-testid="status">
      {status} {runs.length} {more ? 'more' : ''}
    </p>
  );
}

it('hooks outside a provider say what is missing', () => {
  expect(() => render(<Status />)).toThrow(/No <ToolstreamProvider>/);
});
