import type { Recorded } from '@toolstream/domain';
import type { RunSnapshot } from '@toolstream/proto-events';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { until } from '../../../../test/support/stack.ts';
import { type System, startSystem } from '../support/index.ts';

const talk = (id: string, lines: number, more: object = {}) => ({ id, name: 'talk', arguments: { lines, ...more } });
export const guarded = (id: string) => ({ id, name: 'guarded', arguments: { what: 'it' } });
export const steps = (id: string, count: number, ms: number) => ({
  id,
  name: 'steps',
  arguments: { steps: count, ms },
});

export const pathOf = (run: string, tab: 'timeline' | 'events', at?: string): string =>
  `/runs/${run}?tab=${tab}${at === undefined ? '' : `&at=${encodeURIComponent(at)}`}`;

/** What the list of calls says, and what it must say of a state. */
export const shownCalls = (page: Page) =>
  page.$$eval('[data-testid="timeline-calls"] > li', (items) =>
    items.map((item) => [
      item.querySelector('[data-status]')?.getAttribute('data-status'),
      item.children[2]?.textContent ?? '',
    ]),
  );
export const saidOf = ({ tools }: RunSnapshot) =>
  tools.map((tool) => {
    const attempt = tool.attempt > 1 ? [`attempt ${tool.attempt}`] : [];
    const measured = tool.progress?.progress ?? tool.measured;
    const running = [tool.progress?.stage, measured === undefined ? undefined : `${Math.floor(measured)} %`];
    const rest = tool.status === 'running' ? running : [tool.error?.code];
    return [tool.status, [...attempt, ...rest].filter(Boolean).join(' · ')];
  });

export interface Timelines {
  /** There once the tests begin. */
  readonly system: System;
  /** Retries, an approval, a pause, a failure: something of everything. Ended; the tests of a file share it. */
  eventful(): Promise<string>;
  cursorOf(run: string, recorded: Recorded): string;
  /** All of the run's events are on the page. */
  complete(page: Page, run: string): Promise<Recorded[]>;
  open(run: string, tab?: 'timeline' | 'events', at?: string): Promise<Page>;
  /** The page shows the run as it was after this event, and as the service says that it was. */
  expectMoment(page: Page, run: string, history: Recorded[], index: number): Promise<void>;
}

/** The product for the tests of a file, and what they do with a run's timeline and events. */
export function timelines(): Timelines {
  let system: System;
  let shared: Promise<string> | undefined;
  beforeAll(async () => {
    // Every report is an event of its own: long runs are made of reports.
    system = await startSystem({ env: { TOOLSTREAM_PROGRESS_HZ: '1000' } });
  }, 900_000);
  afterAll(() => system?.stop());
  afterEach(() => system.closePages());

  const anEventfulRun = async (): Promise<string> => {
    const run = await system.submit(
      [
        talk('a', 8, { ms: 20, attempts: 2 }),
        guarded('b'),
        { id: 'c', name: 'hopeless', arguments: {} },
        steps('d', 8, 150),
      ],
      { mode: 'parallel' },
    );
    const watch = system.client.watch(run);
    await until('the approval is asked for', 30_000, () => watch.state?.tools[1]?.status === 'awaiting_approval');
    await until('the steps are under way', 30_000, () => watch.state?.tools[3]?.progress !== undefined);
    await system.client.command(run, 'pause', { reason: 'lunch' });
    await system.client.command(run, 'resume');
    await system.client.command(run, 'approve_tool', { index: 1 });
    await watch.done;
    return run;
  };

  const cursorOf: Timelines['cursorOf'] = (run, { seq }) => system.t.log.cursor(Number(run.split('-')[0]), seq);

  const complete: Timelines['complete'] = async (page, run) => {
    const history = await system.t.history(run);
    await page.waitForSelector(`[data-events="${history.length}"][data-status="live"]`);
    return history;
  };

  const stateAt = async (run: string, cursor: string): Promise<RunSnapshot> => {
    const response = await fetch(`${system.url}/v1/runs/${run}?at=${encodeURIComponent(cursor)}`, {
      headers: { authorization: `Bearer ${await system.t.token()}` },
    });
    expect(response.status).toBe(200);
    return (await response.json()) as RunSnapshot;
  };

  return {
    get system() {
      return system;
    },
    eventful() {
      shared ??= anEventfulRun();
      return shared;
    },
    cursorOf,
    complete,
    async open(run, tab = 'timeline', at) {
      const page = await system.open(pathOf(run, tab, at));
      await complete(page, run);
      return page;
    },
    async expectMoment(page, run, history, index) {
      const banner = page.getByTestId('timeline-banner');
      await until(`event ${index + 1} is shown`, 10_000, async () =>
        (await banner.textContent())?.includes(`after event ${(index + 1).toLocaleString('en')} of`),
      );
      const state = await stateAt(run, cursorOf(run, history[index]!));
      expect(await shownCalls(page)).toEqual(saidOf(state));
      const { type } = history[index]!.event;
      expect(await page.getByTestId('timeline-event').textContent()).toContain(type.replace(/\.v\d+$/, ''));
    },
  };
}
