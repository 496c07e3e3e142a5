import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { expectAccessible, MOBILE, sidewaysBy } from './support/index.ts';
import { pathOf, steps, timelines } from './timeline/on-page.ts';

const world = timelines();
const { complete, cursorOf, eventful, expectMoment, open } = world;

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
    const history = await world.system.t.history(run);
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
    const history = await world.system.t.history(run);
    const asked = history.findIndex(({ event }) => event.type === 'tool.approval_requested.v1');
    expect(approval!.from).toBe(Date.parse(history[asked]!.event.time));
    await expectMoment(page, run, history, asked);
  });
});

describe('a run of 10,000 events', () => {
  it('is followed, scrubbed and listed; what is on the page stays little', async () => {
    const calls = Array.from({ length: 20 }, (_, call) => steps(`c${call}`, 650, 30));
    const run = await world.system.submit(calls, { mode: 'parallel' });
    // Somebody looks on from the beginning: thousands of events come while the page is drawn.
    const page = await world.system.open(pathOf(run, 'timeline'));
    await world.system.client.watch(run).done;
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
    const history = await world.system.t.history(run);
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
    const history = await world.system.t.history(run);
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
      const page = await world.system.open(pathOf(run, tab), { viewport: MOBILE });
      await complete(page, run);
      expect(await sidewaysBy(page)).toBe(0);
      await expectAccessible(page, { themes: ['dark'] });
    }
    const history = await world.system.t.history(run);
    const index = Math.floor(history.length / 2);
    const linked = await world.system.open(pathOf(run, 'events', cursorOf(run, history[index]!)), { viewport: MOBILE });
    await linked.locator(`[data-raw="${index}"] pre`).waitFor();
    const list = (await linked.getByRole('region', { name: 'Events of the run' }).boundingBox())!;
    await until('the linked event is in sight', 10_000, async () => {
      const row = await linked.locator(`tr[data-event="${index}"]`).boundingBox();
      return row !== null && row.y >= list.y && row.y + row.height <= list.y + list.height;
    });
  });
});
