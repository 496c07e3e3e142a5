import { readFile } from 'node:fs/promises';
import type { Recorded } from '@toolstream/domain';
import type { RunSnapshot } from '@toolstream/proto-events';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { expectAccessible, MOBILE, type System, sidewaysBy, startSystem } from './support/index.ts';

let system: System;
beforeAll(async () => {
  // Every report is an event of its own: long runs are made of reports.
  system = await startSystem({ env: { TOOLSTREAM_PROGRESS_HZ: '1000' } });
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const talk = (id: string, lines: number, more: object = {}) => ({ id, name: 'talk', arguments: { lines, ...more } });
const guarded = (id: string) => ({ id, name: 'guarded', arguments: { what: 'it' } });
const steps = (id: string, count: number, ms: number) => ({ id, name: 'steps', arguments: { steps: count, ms } });

/** Retries, an approval, a pause, a failure: something of everything. Ended; the tests share it. */
const eventful = (): Promise<string> => {
  shared ??= anEventfulRun();
  return shared;
};
let shared: Promise<string> | undefined;

async function anEventfulRun(): Promise<string> {
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
}

const pathOf = (run: string, tab: 'timeline' | 'events', at?: string) =>
  `/runs/${run}?tab=${tab}${at === undefined ? '' : `&at=${encodeURIComponent(at)}`}`;

const cursorOf = (run: string, { seq }: Recorded): string => system.t.log.cursor(Number(run.split('-')[0]), seq);

/** All of the run's events are on the page. */
async function complete(page: Page, run: string): Promise<Recorded[]> {
  const history = await system.t.history(run);
  await page.waitForSelector(`[data-events="${history.length}"][data-status="live"]`);
  return history;
}

async function open(run: string, tab: 'timeline' | 'events' = 'timeline', at?: string): Promise<Page> {
  const page = await system.open(pathOf(run, tab, at));
  await complete(page, run);
  return page;
}

async function stateAt(run: string, cursor: string): Promise<RunSnapshot> {
  const response = await fetch(`${system.url}/v1/runs/${run}?at=${encodeURIComponent(cursor)}`, {
    headers: { authorization: `Bearer ${await system.t.token()}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as RunSnapshot;
}

/** What the list of calls says, and what it must say of a state. */
const shownCalls = (page: Page) =>
  page.$$eval('[data-testid="timeline-calls"] > li', (items) =>
    items.map((item) => [
      item.querySelector('[data-status]')?.getAttribute('data-status'),
      item.children[2]?.textContent ?? '',
    ]),
  );
const saidOf = ({ tools }: RunSnapshot) =>
  tools.map((tool) => {
    const attempt = tool.attempt > 1 ? [`attempt ${tool.attempt}`] : [];
    const measured = tool.progress?.progress ?? tool.measured;
    const running = [tool.progress?.stage, measured === undefined ? undefined : `${Math.floor(measured)} %`];
    const rest = tool.status === 'running' ? running : [tool.error?.code];
    return [tool.status, [...attempt, ...rest].filter(Boolean).join(' · ')];
  });

/** The page shows the run as it was after this event, and as the service says that it was. */
async function expectMoment(page: Page, run: string, history: Recorded[], index: number): Promise<void> {
  const banner = page.getByTestId('timeline-banner');
  await until(`event ${index + 1} is shown`, 10_000, async () =>
    (await banner.textContent())?.includes(`after event ${(index + 1).toLocaleString('en')} of`),
  );
  const state = await stateAt(run, cursorOf(run, history[index]!));
  expect(await shownCalls(page)).toEqual(saidOf(state));
  const { type } = history[index]!.event;
  expect(await page.getByTestId('timeline-event').textContent()).toContain(type.replace(/\.v\d+$/, ''));
}

interface DrawnBar {
  call: number;
  kind: string;
  attempt: number;
  from: number;
  to: number;
  left: number;
  right: number;
}

const bars = (page: Page): Promise<DrawnBar[]> =>
  page.$$eval('[data-testid="timeline-chart"] g[data-span]', (drawn) =>
    drawn.map((bar) => {
      const { span, attempt, from, to } = (bar as SVGGElement).dataset;
      const box = bar.querySelector('rect')!.getBoundingClientRect();
      return {
        call: Number(bar.closest<HTMLElement>('[data-call]')!.dataset.call),
        kind: span!,
        attempt: Number(attempt),
        from: Number(from),
        to: Number(to ?? Number.NaN),
        left: box.left,
        right: box.right,
      };
    }),
  );

describe('the timeline', () => {
  it('draws each attempt from its start to its end, as the log has them, and the pause of the run', async () => {
    const run = await eventful();
    const page = await open(run);
    const history = await system.t.history(run);
    const drawn = await bars(page);
    const started = history.filter(({ event }) => event.type === 'tool.started.v1');
    expect(started.length).toBeGreaterThanOrEqual(5);
    for (const { event } of started) {
      const { toolindex: call, attempt } = event;
      const mine = drawn.filter(
        (bar) => bar.call === call && bar.attempt === attempt && ['running', 'paused'].includes(bar.kind),
      );
      const end = history.find(
        ({ event: e }) =>
          e.toolindex === call && e.attempt === attempt && /^tool\.(succeeded|failed|cancelled|released)/.test(e.type),
      )!;
      expect([mine[0]!.from, mine.at(-1)!.to]).toEqual([Date.parse(event.time), Date.parse(end.event.time)]);
    }
    const timeOf = (type: string) => Date.parse(history.find(({ event }) => event.type === type)!.event.time);
    const approval = drawn.find(({ kind }) => kind === 'approval')!;
    expect([approval.from, approval.to]).toEqual([timeOf('tool.approval_requested.v1'), timeOf('tool.approved.v1')]);
    expect(await page.locator('[data-ruler] [data-band="paused"]').count()).toBe(1);

    // The picture is to scale: every bar lies where its times say.
    const ruler = (await page.getByTestId('timeline-ruler').boundingBox())!;
    const times = history.map(({ event }) => Date.parse(event.time));
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const air = (last - first) * 0.02;
    for (const bar of drawn) {
      const place = (time: number) => ruler.x + ((time - first + air) / (last - first + 2 * air)) * ruler.width;
      expect(Math.abs(bar.left - place(bar.from))).toBeLessThan(2);
      expect(Math.abs(bar.right - Math.max(place(bar.to), place(bar.from) + 2))).toBeLessThan(2);
    }
  });

  it('zooms and pans by buttons, wheel, drag and keys, and shows everything again', async () => {
    const run = await eventful();
    const page = await open(run);
    const chart = page.getByTestId('timeline-chart');
    const seen = async () => {
      const [from, to] = (await chart.getAttribute('data-view'))!.split(' ').map(Number) as [number, number];
      return { from, width: to - from };
    };
    const all = await seen();
    const half = all.width / 2;
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect((await seen()).width).toBeCloseTo(half, 0);
    await page.getByRole('button', { name: 'Earlier' }).click();
    expect(await seen()).toEqual({ from: expect.closeTo(all.from, 0), width: expect.closeTo(half, 0) });
    await page.getByRole('button', { name: 'Show everything' }).click();
    expect(await seen()).toEqual(all);

    const box = (await page.getByTestId('timeline-ruler').boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + 60);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -600);
    await page.keyboard.up('Control');
    const wheeled = await until('the wheel zoomed', 5_000, async () => {
      const now = await seen();
      return now.width < all.width * 0.7 ? now : undefined;
    });
    // About the pointer, which is in the middle.
    expect(wheeled.from + wheeled.width / 2).toBeCloseTo(all.from + half, -1);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 80, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await until('the drag moved it', 5_000, async () => {
      const moved = wheeled.from - (await seen()).from;
      return Math.abs(moved - (80 / box.width) * wheeled.width) < wheeled.width * 0.02;
    });

    await chart.focus();
    await page.keyboard.press('0');
    expect(await seen()).toEqual(all);
    await page.keyboard.press('+');
    expect((await seen()).width).toBeCloseTo(half, 0);
    await page.keyboard.press('-');
    expect(await seen()).toEqual(all);
  });

  it('says what a bar is, to the pointer, to the keys and in the table', async () => {
    const run = await eventful();
    const page = await open(run);
    const details = page.getByTestId('timeline-details');
    const [approval] = (await bars(page)).filter(({ kind }) => kind === 'approval');
    await page.locator('g[data-span="approval"] rect').first().hover();
    await details.getByText('Call 2, guarded: waiting for approval', { exact: false }).first().waitFor();
    await page.getByRole('radio', { name: 'Table' }).click();
    const rows = await page.getByTestId('timeline-table').locator('tbody tr').allInnerTexts();
    expect(rows.length).toBeGreaterThan(8);
    expect(rows.some((row) => /guarded\s+Waiting for approval/.test(row))).toBe(true);
    await page
      .getByRole('button', { name: 'Show the run when call 2 began: Waiting for approval, before attempt 1' })
      .click();
    const history = await system.t.history(run);
    const asked = history.findIndex(({ event }) => event.type === 'tool.approval_requested.v1');
    expect(approval!.from).toBe(Date.parse(history[asked]!.event.time));
    await expectMoment(page, run, history, asked);
  });
});

describe('time travel', () => {
  it('shows at every event the state that the service says it had', async () => {
    const run = await eventful();
    const page = await open(run);
    const history = await system.t.history(run);
    const slider = page.getByRole('slider', { name: 'Event' });
    await slider.focus();
    await page.keyboard.press('Home');
    await expectMoment(page, run, history, 0);
    for (let index = 1; index < history.length; index++) {
      await page.keyboard.press('ArrowRight');
      await expectMoment(page, run, history, index);
    }
    await page.keyboard.press('ArrowLeft');
    await expectMoment(page, run, history, history.length - 2);
  });

  it('goes from one step of the life to the next, plays through, and leads back to live', async () => {
    const run = await eventful();
    const page = await open(run);
    const history = await system.t.history(run);
    const life = history.flatMap(({ event }, index) =>
      /^tool\.(progressed|output|checkpointed)/.test(event.type) ? [] : [index],
    );
    await page.getByRole('button', { name: 'First event' }).click();
    for (const index of life.slice(1, 5)) {
      await page.getByRole('button', { name: 'Next step of the run or of a call' }).click();
      await expectMoment(page, run, history, index);
    }
    await page.getByRole('button', { name: 'Previous step of the run or of a call' }).click();
    await expectMoment(page, run, history, life[3]!);
    const at = () => new URL(page.url()).searchParams.get('at');
    await until('the address has the moment', 5_000, () => at() === cursorOf(run, history[life[3]!]!));

    const ruler = page.getByTestId('timeline-ruler');
    const { width } = (await ruler.boundingBox())!;
    await ruler.click({ position: { x: Math.round(width * 0.6), y: 10 } });
    const [from, to] = (await page.getByTestId('timeline-chart').getAttribute('data-view'))!.split(' ').map(Number) as [
      number,
      number,
    ];
    // A pixel is some milliseconds wide.
    const eventAt = (px: number) => {
      const time = from + ((Math.round(width * 0.6) + px) / width) * (to - from);
      return history.findLastIndex(({ event }) => Date.parse(event.time) <= time);
    };
    const landed = await until('the press on the ruler led somewhere', 5_000, async () => {
      const said = /after event ([\d,]+) of/.exec((await page.getByTestId('timeline-banner').textContent()) ?? '')?.[1];
      const index = Number(said?.replace(',', '')) - 1;
      return index === life[3] ? undefined : { index };
    });
    expect(landed.index).toBeGreaterThanOrEqual(eventAt(-2));
    expect(landed.index).toBeLessThanOrEqual(eventAt(2));
    await expectMoment(page, run, history, landed.index);

    await page.getByRole('button', { name: 'Play the run' }).click();
    await page.getByText('The run has ended', { exact: false }).waitFor({ timeout: 60_000 });
    expect(await shownCalls(page)).toEqual(saidOf(await system.client.get(run)));
    await page.getByRole('button', { name: 'Previous event' }).click();
    await expectMoment(page, run, history, history.length - 2);
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.getByText('The run has ended', { exact: false }).waitFor();
    await until('the address has no moment any more', 5_000, () => at() === null);
  });

  it('goes on while the run does: the past stays, the present grows', async () => {
    // It goes on until somebody approves.
    const run = await system.submit([steps('a', 60, 60), guarded('b')], { mode: 'parallel' });
    const page = await system.open(pathOf(run, 'timeline'));
    const events = () => page.getByTestId('timeline').getAttribute('data-events').then(Number);
    await page.getByText('Live:', { exact: false }).waitFor();
    const open = page.getByTestId('timeline-chart').locator('g[data-span]:not([data-to])');
    await open.and(page.locator('[data-span="approval"]')).waitFor();
    await page.getByRole('button', { name: 'First event' }).click();
    const banner = page.getByTestId('timeline-banner');
    await banner.getByText('after event 1 of', { exact: false }).waitFor();
    const early = await events();
    await system.client.command(run, 'approve_tool', { index: 1 });
    const end = system.client.watch(run).done;
    await until('more events', 30_000, async () => (await events()) > early);
    await end;
    const history = await complete(page, run);
    expect(await banner.textContent()).toContain('after event 1 of');
    expect((await shownCalls(page)).map(([status]) => status)).toEqual(['pending', 'pending']);
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.getByText(`The run has ended, with ${history.length} events`, { exact: false }).waitFor();
    expect((await shownCalls(page)).map(([status]) => status)).toEqual(['succeeded', 'succeeded']);
    expect(await open.count()).toBe(0);
  });

  it('has every event also of the time when the network was away', async () => {
    const run = await system.submit([steps('a', 30, 40), guarded('b')], { mode: 'parallel' });
    const page = await system.open(pathOf(run, 'timeline'));
    const events = () => page.getByTestId('timeline').getAttribute('data-events').then(Number);
    await until('some events', 30_000, async () => (await events()) > 5);
    await page.context().setOffline(true);
    const before = await events();
    await system.client.command(run, 'approve_tool', { index: 1 });
    await system.client.watch(run).done;
    expect((await system.t.history(run)).length).toBeGreaterThan(before);
    await page.context().setOffline(false);
    const history = await complete(page, run);
    await page.getByRole('button', { name: 'Previous event' }).click();
    await expectMoment(page, run, history, history.length - 2);
  });
});

describe('a link to an event', () => {
  it('opens it on the timeline, and can be copied there', async () => {
    const run = await eventful();
    const history = await system.t.history(run);
    const index = history.findIndex(({ event }) => event.type === 'tool.retry_scheduled.v1');
    const cursor = cursorOf(run, history[index]!);
    const page = await open(run, 'timeline', cursor);
    await expectMoment(page, run, history, index);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy link to this event' }).click();
    await page.getByText('Link copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(`${system.url}${pathOf(run, 'timeline', cursor)}`);
    await page.goBack().catch(() => null);
    const other = await system.open('/', { beside: page });
    await other.goto(link);
    await expectMoment(other, run, history, index);
  });

  it('opens it among the events, as it is stored', async () => {
    const run = await eventful();
    const history = await system.t.history(run);
    const index = history.findIndex(({ event }) => event.type === 'tool.approved.v1');
    const page = await open(run, 'events', cursorOf(run, history[index]!));
    const raw = page.locator(`[data-raw="${index}"] pre`);
    await raw.waitFor();
    expect(JSON.parse((await raw.textContent()) ?? '')).toEqual(history[index]!.event);
    await page.getByRole('button', { name: 'Show on the timeline' }).click();
    await expectMoment(page, run, history, index);
  });

  it('to an event that the run does not have says so, and shows the present', async () => {
    const run = await eventful();
    const page = await open(run, 'timeline', 'other.0:12');
    await page.getByText('is not one of this run', { exact: false }).waitFor();
    await page.getByText('The run has ended', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'All right' }).click();
    await until('the address is clean', 5_000, () => !page.url().includes('at='));
  });
});

describe('the events', () => {
  it('are filtered by type and by call', async () => {
    const run = await eventful();
    const history = await system.t.history(run);
    const page = await open(run, 'events');
    const choose = async (menu: string, item: string) => {
      await page.getByRole('button', { name: menu }).click();
      await page.getByRole('menuitemcheckbox', { name: item, exact: true }).click();
      await page.keyboard.press('Escape');
    };
    const started = history.filter(({ event }) => event.type === 'tool.started.v1');
    await choose('Types: all', 'tool.started');
    const count = page.getByTestId('events-count');
    await count.getByText(`${started.length} of ${history.length} events`).waitFor();
    await choose('Calls: all', '1 talk');
    await count.getByText(`2 of ${history.length} events`).waitFor();
    const shown = await page.$$eval('tr[data-event]', (rows) =>
      rows.map((row) => Number((row as HTMLElement).dataset.event)),
    );
    expect(shown).toEqual(
      history.flatMap(({ event }, index) => (event.type === 'tool.started.v1' && event.toolindex === 0 ? [index] : [])),
    );
    await page.getByRole('button', { name: 'Clear' }).click();
    await count.getByText(`${history.length} events`, { exact: true }).waitFor();
  });

  it('are exported as the service sends them, byte for byte', async () => {
    const run = await eventful();
    const response = await fetch(`${system.url}/v1/runs/${run}/events`, {
      headers: { authorization: `Bearer ${await system.t.token()}`, accept: 'application/x-ndjson' },
    });
    const sent = Buffer.from(await response.arrayBuffer());
    for (const tab of ['timeline', 'events'] as const) {
      const page = await open(run, tab);
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Export NDJSON' }).click(),
      ]);
      expect(file.suggestedFilename()).toBe(`${run}.ndjson`);
      expect(Buffer.compare(await readFile(await file.path()), sent)).toBe(0);
    }
  });
});

describe('a run of 10,000 events', () => {
  it('is followed, scrubbed and listed; what is on the page stays little', async () => {
    const calls = Array.from({ length: 20 }, (_, call) => steps(`c${call}`, 650, 30));
    const run = await system.submit(calls, { mode: 'parallel' });
    // Somebody looks on from the beginning: thousands of events come while the page is drawn.
    const page = await system.open(pathOf(run, 'timeline'));
    await system.client.watch(run).done;
    const history = await complete(page, run);
    expect(history.length).toBeGreaterThan(10_000);
    const slider = page.getByRole('slider', { name: 'Event' });
    for (const index of [5_003, 17, 9_998, 5_004, 2_559, 2_560, history.length - 2]) {
      await slider.fill(String(index + 1));
      await expectMoment(page, run, history, index);
    }
    for (let n = 0; n < 40; n++) await page.keyboard.press('ArrowLeft');
    await expectMoment(page, run, history, history.length - 42);
    expect(await page.locator('*').count()).toBeLessThan(3_000);

    const list = await open(run, 'events');
    const table = list.getByRole('region', { name: 'Events of the run' });
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await list.locator(`tr[data-event="${history.length - 1}"]`).waitFor();
    expect(await list.locator('tr[data-event]').count()).toBeLessThan(80);
  });
});

describe('for everybody', () => {
  it('the timeline is used by keyboard alone', async () => {
    const run = await eventful();
    const page = await open(run);
    const history = await system.t.history(run);
    const focused = (selector: string) =>
      page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
    const tabTo = async (selector: string) => {
      for (let n = 0; n < 60 && !(await focused(selector)); n++) await page.keyboard.press('Tab');
      expect(await focused(selector), `Tab reaches ${selector}`).toBe(true);
    };
    await tabTo('[data-testid="timeline-chart"]');
    // First bar of call 1; then call 2, its approval.
    for (const key of ['ArrowDown', 'ArrowDown', 'Home', 'ArrowRight']) await page.keyboard.press(key);
    const details = page.getByTestId('timeline-details');
    await details.getByText('Call 2, guarded: waiting for approval', { exact: false }).first().waitFor();
    await page.keyboard.press('Enter');
    const asked = history.findIndex(({ event }) => event.type === 'tool.approval_requested.v1');
    await expectMoment(page, run, history, asked);
    await page.keyboard.press('Shift+Enter');
    const approved = history.findIndex(({ event }) => event.type === 'tool.approved.v1');
    await expectMoment(page, run, history, approved);
    await tabTo('input[type="range"]');
    await page.keyboard.press('ArrowRight');
    await expectMoment(page, run, history, approved + 1);
    for (let n = 0; n < 60; n++) {
      if (await page.evaluate(() => document.activeElement?.textContent === 'Back to live')) break;
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByText('The run has ended', { exact: false }).waitFor();
  });

  it('axe finds nothing: in the present, in the past, as a table and among the events', async () => {
    const run = await eventful();
    const history = await system.t.history(run);
    const page = await open(run);
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Previous event' }).click();
    await page.getByRole('button', { name: 'The event as it is stored (CloudEvents JSON)' }).click();
    await expectAccessible(page);
    await page.getByRole('radio', { name: 'Table' }).click();
    await expectAccessible(page);
    const list = await open(run, 'events', cursorOf(run, history[3]!));
    await list.locator('[data-raw="3"] pre').waitFor();
    await expectAccessible(list);
  });

  it('it fits a telephone', async () => {
    const run = await eventful();
    for (const tab of ['timeline', 'events'] as const) {
      const page = await system.open(pathOf(run, tab), { viewport: MOBILE });
      await complete(page, run);
      expect(await sidewaysBy(page)).toBe(0);
      await expectAccessible(page, { themes: ['dark'] });
    }
    const history = await system.t.history(run);
    const index = Math.floor(history.length / 2);
    const linked = await system.open(pathOf(run, 'events', cursorOf(run, history[index]!)), { viewport: MOBILE });
    await linked.locator(`[data-raw="${index}"] pre`).waitFor();
    const list = (await linked.getByRole('region', { name: 'Events of the run' }).boundingBox())!;
    await until('the linked event is in sight', 10_000, async () => {
      const row = await linked.locator(`tr[data-event="${index}"]`).boundingBox();
      return row !== null && row.y >= list.y && row.y + row.height <= list.y + list.height;
    });
  });
});
