import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { guarded, pathOf, saidOf, shownCalls, steps, timelines } from './timeline/on-page.ts';

const world = timelines();
const { complete, cursorOf, eventful, expectMoment, open } = world;

describe('time travel', () => {
  it('shows at every event the state that the service says it had', async () => {
    const run = await eventful();
    const page = await open(run);
    const history = await world.system.t.history(run);
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
    const history = await world.system.t.history(run);
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
    expect(await shownCalls(page)).toEqual(saidOf(await world.system.client.get(run)));
    await page.getByRole('button', { name: 'Previous event' }).click();
    await expectMoment(page, run, history, history.length - 2);
    await page.getByRole('button', { name: 'Back to live' }).click();
    await page.getByText('The run has ended', { exact: false }).waitFor();
    await until('the address has no moment any more', 5_000, () => at() === null);
  });

  it('goes on while the run does: the past stays, the present grows', async () => {
    // It goes on until somebody approves.
    const run = await world.system.submit([steps('a', 60, 60), guarded('b')], { mode: 'parallel' });
    const page = await world.system.open(pathOf(run, 'timeline'));
    const events = () => page.getByTestId('timeline').getAttribute('data-events').then(Number);
    await page.getByText('Live:', { exact: false }).waitFor();
    const open = page.getByTestId('timeline-chart').locator('g[data-span]:not([data-to])');
    await open.and(page.locator('[data-span="approval"]')).waitFor();
    await page.getByRole('button', { name: 'First event' }).click();
    const banner = page.getByTestId('timeline-banner');
    await banner.getByText('after event 1 of', { exact: false }).waitFor();
    const early = await events();
    await world.system.client.command(run, 'approve_tool', { index: 1 });
    const end = world.system.client.watch(run).done;
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
    const run = await world.system.submit([steps('a', 30, 40), guarded('b')], { mode: 'parallel' });
    const page = await world.system.open(pathOf(run, 'timeline'));
    const events = () => page.getByTestId('timeline').getAttribute('data-events').then(Number);
    await until('some events', 30_000, async () => (await events()) > 5);
    await page.context().setOffline(true);
    const before = await events();
    await world.system.client.command(run, 'approve_tool', { index: 1 });
    await world.system.client.watch(run).done;
    expect((await world.system.t.history(run)).length).toBeGreaterThan(before);
    await page.context().setOffline(false);
    const history = await complete(page, run);
    await page.getByRole('button', { name: 'Previous event' }).click();
    await expectMoment(page, run, history, history.length - 2);
  });
});
