// @vitest-environment jsdom
import { act, screen, waitFor } from '@testing-library/react';
import { type ReactNode, useEffect } from 'react';
import { describe, expect, it } from 'vitest';
import {
  type ConnectionView,
  type RunControls,
  type UsedRun,
  useConnection,
  useRun,
  useRunControls,
  useRunEvents,
  useRunSelector,
  useToolCall,
} from '../src/index.ts';
import { Counted, livePage, RUN, Story } from './page.tsx';

const page = livePage();

function Percent({ of = RUN, index = 0 }: { of?: string | null; index?: number }): ReactNode {
  const tool = useToolCall(of ?? undefined, index);
  return <p data-testid={`call-${index}`}>{tool?.progress?.progress ?? 'unknown'}</p>;
}
function Done(): ReactNode {
  const done = useRunSelector(RUN, ({ run }) => run?.tools.filter(({ status }) => status === 'succeeded').length);
  return <p data-testid="done">{`${done}`}</p>;
}
function Slow(): ReactNode {
  return <p data-testid="slow">{useRun(RUN, { throttleMs: 300 }).run?.tools[0]?.progress?.progress}</p>;
}
function Controls({ tell }: { tell: (controls: RunControls) => void }): ReactNode {
  tell(useRunControls(RUN));
  return null;
}
function Events({ limit, tell }: { limit: number; tell: (types: string[]) => void }): ReactNode {
  const events = useRunEvents(RUN, { limit, cursor: 'start' });
  useEffect(() => void tell(events.map(({ event }) => event.type)));
  return null;
}
function Connection({ tell }: { tell: (connection: ConnectionView) => void }): ReactNode {
  const connection = useConnection();
  useEffect(() => void tell(connection));
  return <p data-testid="connection">{connection.status}</p>;
}
const shows = (id: string, text: string) => waitFor(() => expect(screen.getByTestId(id).textContent).toBe(text));

function Status({ tell = () => {} }: { tell?: (run: UsedRun) => void }): ReactNode {
  const run = useRun(RUN);
  useEffect(() => void tell(run));
  return (
    <p data-testid="status">
      {run.status} {run.run?.status} {run.caughtUp ? 'caught up' : ''}
    </p>
  );
}

describe('a run', () => {
  it('is shown from its snapshot to its end', async () => {
    const story = new Story(page.edge, 1);
    page.show(<Status />);
    expect(screen.getByTestId('status').textContent).toContain('loading');
    await shows('status', 'live running caught up');
    story.progress(0, 50);
    story.succeed(0);
    story.end();
    await shows('status', 'ended succeeded caught up');
  });

  it('that cannot be watched says why, and is tried again when asked to', async () => {
    const told: UsedRun[] = [];
    page.show(<Status tell={(run) => void told.push(run)} />);
    await waitFor(() => expect(told.at(-1)).toMatchObject({ status: 'failed', error: { code: 'not_found' } }));
    new Story(page.edge, 1);
    act(() => told.at(-1)!.retry());
    await shows('status', 'live running caught up');
  });

  it('is watched once, however many components show it, also under StrictMode', async () => {
    const story = new Story(page.edge, 3);
    const all = (
      <>
        <Status />
        <Status />
        <Percent index={0} />
        <Percent index={2} />
      </>
    );
    page.show(all, { strict: true });
    await waitFor(() => expect(screen.getAllByText('live running caught up')).toHaveLength(2));
    story.progress(2, 30);
    await shows('call-2', '30');
    expect(page.subscribes()).toBe(1);
  });

  it('goes on where it was when its view goes and comes back, without another subscription', async () => {
    const story = new Story(page.edge, 1);
    const { rerender } = page.show(<Percent />);
    story.progress(0, 10);
    await shows('call-0', '10');
    rerender(<p>elsewhere</p>);
    story.progress(0, 20);
    rerender(<Percent />);
    await shows('call-0', '20');
    expect(page.subscribes()).toBe(1);
  });

  it('is left, and not cancelled, a moment after its last view has gone', async () => {
    new Story(page.edge, 1);
    const { rerender } = page.show(<Status />);
    await shows('status', 'live running caught up');
    rerender(<p>elsewhere</p>);
    await waitFor(() => expect(page.edge.frames('unsubscribe')).toHaveLength(1), { timeout: 5_000 });
    expect(page.edge.frames('command')).toEqual([]);
  });

  it('is resumed at its cursor when somebody looks at it long after', async () => {
    const story = new Story(page.edge, 1);
    const { rerender } = page.show(<Percent />);
    story.progress(0, 10);
    await shows('call-0', '10');
    rerender(<p>elsewhere</p>);
    await waitFor(() => expect(page.edge.frames('unsubscribe')).toHaveLength(1), { timeout: 5_000 });
    story.progress(0, 80);
    rerender(<Percent />);
    expect(screen.getByTestId('call-0').textContent).toBe('10');
    await shows('call-0', '80');
    expect(page.edge.frames('subscribe').at(-1)).toMatchObject({ run: RUN, cursor: expect.stringContaining('e1.0:') });
  });
});

describe('renderings', () => {
  it('of one call happen when that call changed, and not when others did', async () => {
    const story = new Story(page.edge, 50);
    const counts = Array(50).fill(0) as number[];
    page.show(
      counts.map((_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a call's index is its identity
        <Counted key={index} count={() => counts[index]!++}>
          <Percent index={index} />
        </Counted>
      )),
    );
    story.progress(7, 1);
    await shows('call-7', '1');
    const before = [...counts];
    for (let progress = 2; progress <= 60; progress++) story.progress(7, progress);
    await shows('call-7', '60');
    const more = counts.map((count, index) => count - before[index]!);
    expect(more.filter((count) => count > 0)).toEqual([more[7]]);
    expect(more[7]).toBeLessThan(59);
  });

  it('of a part happen when the part is another', async () => {
    const story = new Story(page.edge, 2);
    let count = 0;
    page.show(
      <>
        <Counted count={() => count++}>
          <Done />
        </Counted>
        <Percent index={1} />
      </>,
    );
    await shows('done', '0');
    const before = count;
    for (let progress = 1; progress <= 20; progress++) {
      story.progress(1, progress);
      await shows('call-1', `${progress}`);
    }
    expect(count).toBe(before);
    story.succeed(0);
    await shows('done', '1');
    expect(count).toBe(before + 1);
  });

  it('of a throttled view are fewer, and end with the newest', async () => {
    const story = new Story(page.edge, 1);
    let count = 0;
    const began = performance.now();
    page.show(
      <>
        <Counted count={() => count++}>
          <Slow />
        </Counted>
        <Percent />
      </>,
    );
    for (let progress = 1; progress <= 30; progress++) {
      story.progress(0, progress);
      await shows('call-0', `${progress}`);
    }
    await shows('slow', '30');
    // The first, what is known at once, and one in 300 ms, of which a frame may be taken off.
    expect(count).toBeLessThanOrEqual(3 + (performance.now() - began) / 280);
  });
});

describe('controls', () => {
  it('are pending until the state shows what was asked', async () => {
    const story = new Story(page.edge, 1);
    const told: UsedRun[] = [];
    page.show(<Status tell={(run) => void told.push(run)} />);
    await shows('status', 'live running caught up');
    const cursor = await act(() => told.at(-1)!.controls.pause({ reason: 'lunch' }));
    expect(cursor).toBe('e1.0:99');
    await waitFor(() =>
      expect(told.at(-1)!.pending).toMatchObject([{ command: 'pause', reason: 'lunch', recorded: true }]),
    );
    for (let seq = 0; seq < 50; seq++) story.progress(0, seq);
    await waitFor(() => expect(told.at(-1)!.pending).toEqual([]));
    expect(page.edge.frames('command')).toMatchObject([{ run: RUN, command: 'pause', args: { reason: 'lunch' } }]);
  });

  it('that the state shows before they are answered are pending until the answer, and no longer', async () => {
    const story = new Story(page.edge, 1);
    let acknowledge = () => {};
    page.edge.intercept = (frame, peer) => {
      if (frame.type !== 'command') return false;
      const seq = story.pause();
      acknowledge = () => peer.send({ type: 'ack', id: frame.id, cursor: `e1.0:${seq}` });
      return true;
    };
    const told: UsedRun[] = [];
    page.show(<Status tell={(run) => void told.push(run)} />);
    await shows('status', 'live running caught up');
    const answer = told.at(-1)!.controls.pause();
    const pending = [{ command: 'pause', recorded: false }];
    await waitFor(() => expect(told.at(-1)).toMatchObject({ run: { status: 'paused' }, pending }));
    acknowledge();
    await answer;
    await waitFor(() => expect(told.at(-1)).toMatchObject({ run: { status: 'paused' }, pending: [] }));
  });

  it('of a call name it, with a reason and edited arguments', async () => {
    new Story(page.edge, 2);
    const told: RunControls[] = [];
    page.show(<Controls tell={(controls) => void told.push(controls)} />);
    const [controls] = told;
    await controls!.approveTool(1, { arguments: { path: 'b' } });
    await controls!.denyTool(0, { reason: 'no' });
    await controls!.retryTool(0);
    await controls!.cancelTool(1, { reason: 'enough' });
    expect(page.edge.frames('command').map(({ command, args }) => [command, args])).toEqual([
      ['approve_tool', { index: 1, arguments: { path: 'b' } }],
      ['deny_tool', { index: 0, reason: 'no' }],
      ['retry_tool', { index: 0 }],
      ['cancel_tool', { index: 1, reason: 'enough' }],
    ]);
  });

  it('that are refused say so, and are nobody’s unhandled rejection', async () => {
    new Story(page.edge, 1);
    page.edge.intercept = (frame, peer) => {
      if (frame.type !== 'command') return false;
      peer.send({ type: 'error', code: 'conflict', message: 'It has ended.', id: frame.id });
      return true;
    };
    const told: UsedRun[] = [];
    page.show(<Status tell={(run) => void told.push(run)} />);
    await shows('status', 'live running caught up');
    void act(() => void told.at(-1)!.controls.cancel());
    await waitFor(() => expect(told.at(-1)!.refused).toMatchObject({ command: 'cancel', error: { code: 'conflict' } }));
    expect(told.at(-1)!.pending).toEqual([]);
    await expect(told.at(-1)!.controls.pause()).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('events', () => {
  it('are kept from the first, the newest of them only', async () => {
    const story = new Story(page.edge, 1);
    const told: string[][] = [];
    page.show(<Events limit={5} tell={(types) => void told.push(types)} />);
    await waitFor(() => expect(told.at(-1)).toHaveLength(4));
    expect(told.at(-1)![0]).toBe('run.accepted.v1');
    for (let progress = 1; progress <= 40; progress++) story.progress(0, progress);
    story.succeed(0);
    await waitFor(() => expect(told.at(-1)!.at(-1)).toBe('tool.succeeded.v1'));
    expect(told.at(-1)).toEqual([...Array(4).fill('tool.progressed.v1'), 'tool.succeeded.v1']);
  });
});

describe('the connection', () => {
  it('says how it stands, since when, and for how long it was away', async () => {
    new Story(page.edge, 1);
    const began = Date.now();
    const told: ConnectionView[] = [];
    page.show(
      <>
        <Connection tell={(connection) => void told.push(connection)} />
        <Status />
      </>,
    );
    await shows('connection', 'open');
    const { since } = told.at(-1)!;
    expect(since).toBeGreaterThanOrEqual(began);
    expect(since).toBeLessThanOrEqual(Date.now());
    page.edge.last.socket.close(4101);
    await waitFor(() => expect(told.at(-1)!.interruption?.from).toBeGreaterThanOrEqual(since));
    await waitFor(
      () => expect(told.at(-1)!).toMatchObject({ status: 'open', interruption: { to: expect.any(Number) } }),
      {
        timeout: 15_000,
      },
    );
    await shows('status', 'live running caught up');
  });
});

it('nothing is watched where there is no run yet', () => {
  page.show(<Percent of={null} />);
  expect(screen.getByTestId('call-0').textContent).toBe('unknown');
  expect(page.edge.peers).toEqual([]);
});
