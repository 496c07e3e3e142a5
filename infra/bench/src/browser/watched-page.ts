import type { CDPSession, Page } from 'playwright-core';
import type { Seen } from './probe.ts';

/** Seconds of processor time that the page's main thread has had for its tasks, and for parts of them. */
export interface Work {
  readonly all: number;
  readonly script: number;
  readonly style: number;
  readonly layout: number;
}

export interface Kept {
  readonly heap: number;
  readonly nodes: number;
}

export interface WatchedPage {
  /** What the page saw since this was last asked. */
  seen(): Promise<Seen>;
  work(): Promise<Work>;
  /** Bytes on the page's heap, and its DOM nodes, after garbage was collected. */
  kept(): Promise<Kept>;
}

export async function watched(page: Page): Promise<WatchedPage> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
  return {
    seen: () => page.evaluate(() => window.toolstreamSeen!()),
    work: () => work(cdp),
    kept: () => kept(cdp),
  };
}

async function work(cdp: CDPSession): Promise<Work> {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return {
    all: of('TaskDuration'),
    script: of('ScriptDuration'),
    style: of('RecalcStyleDuration'),
    layout: of('LayoutDuration'),
  };
}

async function kept(cdp: CDPSession): Promise<Kept> {
  // What a first collection lets go of (finalizers, caches of code) is taken by the second.
  await cdp.send('HeapProfiler.collectGarbage');
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const { nodes } = await cdp.send('Memory.getDOMCounters');
  return { heap: usedSize, nodes };
}
