import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { pathOf, timelines } from './timeline/on-page.ts';

const world = timelines();
const { cursorOf, eventful, expectMoment, open } = world;

describe('the events', () => {
  it('are filtered by type and by call', async () => {
    const run = await eventful();
    const history = await world.system.t.history(run);
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
    const response = await fetch(`${world.system.url}/v1/runs/${run}/events`, {
      headers: { authorization: `Bearer ${await world.system.t.token()}`, accept: 'application/x-ndjson' },
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

describe('a link to an event', () => {
  it('opens it on the timeline, and can be copied there', async () => {
    const run = await eventful();
    const history = await world.system.t.history(run);
    const index = history.findIndex(({ event }) => event.type === 'tool.retry_scheduled.v1');
    const cursor = cursorOf(run, history[index]!);
    const page = await open(run, 'timeline', cursor);
    await expectMoment(page, run, history, index);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy link to this event' }).click();
    await page.getByText('Link copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toBe(`${world.system.url}${pathOf(run, 'timeline', cursor)}`);
    const other = await world.system.open('/', { beside: page });
    await other.goto(link);
    await expectMoment(other, run, history, index);
  });

  it('opens it among the events, as it is stored', async () => {
    const run = await eventful();
    const history = await world.system.t.history(run);
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
