import { join } from 'node:path';
import type { StackOptions } from '@toolstream/cli';
import type { Client, SubmitRequest } from '@toolstream/client';
import type { RunState } from '@toolstream/proto-events';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { startBrowser } from '../../../../test/support/browser.ts';
import { startTestStack, type TestStack } from '../../../../test/support/stack.ts';
import { faultsOf } from './faults.ts';

export const MOBILE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 800 };

type Claims = NonNullable<Parameters<TestStack['token']>[0]>;

export interface OpenOptions {
  /** `null`: not signed in. Default: everything, for an hour. */
  readonly token?: string | Claims | null;
  readonly theme?: 'light' | 'dark';
  readonly viewport?: { width: number; height: number };
  /** Default: reduced, so that nothing is half way when it is looked at. */
  readonly motion?: 'reduce' | 'no-preference';
  /** Another tab of the same browser: storage is shared as between tabs. */
  readonly beside?: Page;
  readonly context?: BrowserContextOptions;
}

export interface System {
  readonly t: TestStack;
  readonly url: string;
  /** Of a caller outside of the browser. */
  readonly client: Client;
  /** A page of the console, signed in by its address as the terminal prints it. */
  open(path?: string, options?: OpenOptions): Promise<Page>;
  submit(tool_calls: SubmitRequest['tool_calls'], more?: Partial<SubmitRequest>): Promise<string>;
  /** Hands over a run and waits for its end. */
  finished(tool_calls: SubmitRequest['tool_calls'], more?: Partial<SubmitRequest>): Promise<RunState>;
  /** After each test: closes its pages, and throws what went wrong on them: errors, and what the security policy refused. */
  closePages(): Promise<void>;
  stop(): Promise<void>;
}

interface SystemOptions extends StackOptions {
  readonly env?: Record<string, string>;
  /** Modules of tools besides. */
  readonly tools?: readonly string[];
}

/**
 * The whole product on free ports, the tools of `test/support/tools.ts` and of `./tools.ts` beside the bundled ones, and a
 * browser. Once per file: `beforeAll(…, 900_000)`.
 */
export async function startSystem({ tools = [], env = {}, ...options }: SystemOptions = {}): Promise<System> {
  const here = import.meta.dirname;
  const modules = [join(here, '../../../../test/support/tools.ts'), join(here, 'tools.ts'), ...tools];
  const t = await startTestStack({ ...options, env: { TOOLSTREAM_TOOLS: modules.join(','), ...env } });
  let browser: Browser;
  try {
    browser = await startBrowser();
  } catch (error) {
    await t.stop();
    throw error;
  }
  const contexts = new Set<BrowserContext>();
  const faults: string[] = [];
  const client = t.client();

  const submit: System['submit'] = async (tool_calls, more = {}) =>
    (await client.submit({ app: 'shop', ...more, tool_calls })).run_id;

  return {
    t,
    url: t.url,
    client,
    async open(path = '/', { token = {}, theme = 'light', viewport = DESKTOP, motion = 'reduce', ...more } = {}) {
      const context =
        more.beside?.context() ??
        (await browser.newContext({ viewport, colorScheme: theme, reducedMotion: motion, ...more.context }));
      contexts.add(context);
      const page = await context.newPage();
      faultsOf(page, (fault) => faults.push(fault));
      const jwt = token === null || typeof token === 'string' ? token : await t.token(token);
      await page.goto(`${t.url}${path}${jwt === null ? '' : `#token=${jwt}`}`);
      return page;
    },
    submit,
    async finished(tool_calls, more) {
      return client.watch(await submit(tool_calls, more)).done;
    },
    async closePages() {
      await Promise.all([...contexts].map((context) => context.close()));
      contexts.clear();
      const found = faults.splice(0);
      if (found.length > 0) throw new Error(`On the pages of this test:\n${found.join('\n')}`);
    },
    async stop() {
      await browser.close();
      await t.stop();
    },
  };
}
