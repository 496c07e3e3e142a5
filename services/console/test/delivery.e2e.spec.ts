import { connect, createServer, type Socket } from 'node:net';
import type { DeliveryReport } from '@toolstream/proto-events';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/support/stack.ts';
import { expectAccessible, MOBILE, type System, startSystem } from './support/index.ts';
import { allShown, becomes, figure, shown } from './support/shown.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem({ edges: 2 });
}, 900_000);
afterAll(() => system?.stop());
afterEach(() => system.closePages());

const heading = (page: Page) => page.getByRole('heading', { level: 1, name: 'Delivery' }).waitFor();
/** The number of a figure: of `1,234 …`, 1234. */
const numberOf = async (page: Page, term: string) =>
  Number((await shown(figure(page, term).getByRole('definition').first())).replaceAll(',', ''));
const all = ({ cells }: { cells: readonly number[] }) => cells.reduce((sum, count) => sum + count, 0);

describe('the delivery view', () => {
  it('shows what the interface gives, of both edges', async () => {
    await system.finished([{ id: 'a', name: 'steps', arguments: { steps: 20, ms: 5 } }]);
    const watched = system.t
      .client(1)
      .watch(await system.submit([{ id: 'b', name: 'steps', arguments: { steps: 20, ms: 5 } }]));
    await watched.done;
    const page = await system.open('/delivery');
    await heading(page);
    await page.getByText('2 edges answered.').waitFor();
    // Nothing happens any more but this page: the figures of events stand still.
    const report = await until('the figures of both edges', 20_000, async () => {
      const latest = await system.client.delivery('15m');
      return latest.edges.every(({ relayed }) => all(relayed) > 0) ? latest : undefined;
    });
    const events = all(report.total.relayed);
    await figure(page, 'Stored to relayed, p95').getByText(`of ${events} events`).waitFor();
    expect(await numberOf(page, 'Gaps repaired')).toBe(report.total.gaps.repaired);
    const edges = page.getByRole('table', { name: 'Edges' });
    for (const edge of report.edges) {
      const row = edges.getByRole('row').filter({ has: page.getByRole('rowheader', { name: edge.instance }) });
      expect(await shown(row)).toContain(`${all(edge.relayed)}`);
    }
    const snapshots = page.getByRole('table', { name: 'Snapshots, by reason' });
    await becomes(async () => (await allShown(snapshots.getByRole('cell'))).map(Number)).toEqual(await snapshotsOf());
    const log = page.getByRole('table', { name: 'The event log, by partition' });
    const { last_seq } = report.log[0]!;
    await becomes(() => shown(log)).toMatch(new RegExp(`0\\s+${last_seq.toLocaleString('en')}`));
    await page.getByRole('button', { name: 'Show “Stored to relayed” as a table' }).click();
    const cells = page.getByRole('table', { name: 'Stored to relayed' }).getByRole('cell');
    const counts = (await allShown(cells)).filter((_, at) => at % 2 === 0).map(Number);
    expect(counts).toEqual(report.total.relayed.cells);
  });

  it('shows a connection that was cut as a reconnect', async () => {
    const run = await system.submit([{ id: 'a', name: 'steps', arguments: { steps: 400, ms: 50 } }]);
    const wire = await wireTo(system.url);
    try {
      const page = await system.open('/delivery');
      await heading(page);
      await figure(page, 'Reconnects').waitFor();
      const before = (await system.client.delivery('15m')).total.joined.cursor;
      const watching = await system.open(`/runs/${run}`);
      const { hash } = new URL(
        await watching.evaluate(() => `#token=${sessionStorage.getItem('toolstream.token')}`),
        system.url,
      );
      await watching.goto(`${wire.url}/runs/${run}${hash}`);
      await watching
        .getByText(/stepping/)
        .first()
        .waitFor();
      await watching.getByText('Live', { exact: false }).first().waitFor();
      wire.cut();
      await until('the reconnect in the figures', 30_000, async () =>
        (await system.client.delivery('15m')).total.joined.cursor > before ? true : undefined,
      );
      await becomes(() => numberOf(page, 'Reconnects')).toBeGreaterThan(before);
      const began = page.getByRole('table', { name: 'Subscriptions, by how they began' });
      expect(await shown(began.getByRole('row').filter({ hasText: 'Came back with a cursor' }))).toMatch(/\d+\s*$/);
      await system.client.command(run, 'cancel', {});
    } finally {
      await wire.close();
    }
  });

  it('says which edge is silent, and is held and goes on', async () => {
    const page = await system.open('/delivery');
    await page.getByText('2 edges answered.').waitFor();
    await page.getByRole('button', { name: 'Hold' }).click();
    await page.getByText(/held$/).waitFor();
    const second = system.t.stack.pidOf('edge-2')!;
    process.kill(second, 'SIGSTOP');
    try {
      await until('the silence of an edge', 30_000, async () =>
        (await system.client.delivery('15m')).silent === 1 ? true : undefined,
      );
      await page.getByText('2 edges answered.').waitFor();
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText(/1 edge answered, 1 edge did not/).waitFor();
      await expectAccessible(page);
    } finally {
      process.kill(second, 'SIGCONT');
    }
    await page.getByText('2 edges answered.').waitFor();
  });

  it('tells readers what they may know, and why no more', async () => {
    const page = await system.open('/delivery', { token: { scope: 'runs:read' } });
    await heading(page);
    await page.getByText('The rest is for admins').waitFor();
    await page.getByText('Stored to relayed, p95').waitFor();
    await expectAccessible(page);
  });

  it('keeps its time in the address, and is used by the keyboard', async () => {
    const page = await system.open('/delivery');
    await figure(page, 'Reconnects').waitFor();
    await page.getByRole('button', { name: /Time$/ }).focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await becomes(() => new URL(page.url()).searchParams.get('window')).toBe('1h');
    await page.reload();
    await page.getByRole('button', { name: 'Last hour Time' }).waitFor();
    const chart = page.getByRole('button', { name: 'Show “Reconnects and gaps” as a table' });
    await chart.focus();
    await page.keyboard.press('Space');
    await page.getByRole('table', { name: /^Reconnects and gaps, in parts of 2 min/ }).waitFor();
  });

  it('is accessible in light and dark, and on a telephone', async () => {
    const page = await system.open('/delivery');
    await page.locator('.recharts-bar-rectangle path').first().waitFor();
    await expectAccessible(page);
    const phone = await system.open('/delivery', { viewport: MOBILE });
    await phone.locator('.recharts-bar-rectangle path').first().waitFor();
    await expectAccessible(phone);
  });
});

const snapshotsOf = async (): Promise<number[]> => {
  const { cold, gap, slow, epoch } = (await system.client.delivery('15m')).total
    .snapshots satisfies DeliveryReport['total']['snapshots'];
  return [cold, gap, slow, epoch];
};

interface Wire {
  readonly url: string;
  /** Everything that goes over it now breaks off; what comes next gets through. */
  cut(): void;
  close(): Promise<void>;
}

/** Another way to the edge, which can be cut. */
async function wireTo(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        ends.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  const cut = () => {
    for (const end of ends) end.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut,
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
