import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processFacts } from '@toolstream/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { workshop } from './helpers.ts';

describe('the command and its signals', () => {
  let shop: ReturnType<typeof workshop>;

  beforeEach(() => {
    shop = workshop();
  });

  afterEach(() => shop.end());

  async function started(mode: string) {
    const fixture = join(import.meta.dirname, 'fixtures', 'up-until-told.ts');
    const command = fork(fixture, [mode], {
      execArgv: ['--conditions=toolstream', '--import', 'tsx'],
      env: { ...process.env, TOOLSTREAM_DATA_DIR: shop.dataDir },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const [{ pids }] = (await once(command, 'message')) as [{ pids: [number] }];
    return { command, service: pids[0], exited: once(command, 'exit') as Promise<[number | null]> };
  }

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'stops everything in order on %s and ends with 0',
    async (signal) => {
      const { command, service, exited } = await started('');
      command.kill(signal);
      expect(await exited).toEqual([0, null]);
      expect(processFacts(service)).toBeUndefined();
      expect(existsSync(join(shop.dataDir, 'stopped-executor-1.json'))).toBe(true);
      expect(readdirSync(join(shop.dataDir, 'run'))).toEqual([]);
      expect(existsSync(join(shop.dataDir, 'lock'))).toBe(false);
    },
  );

  test('does not wait after a second signal', async () => {
    const { command, service, exited } = await started('stubborn');
    const begun = performance.now();
    command.kill('SIGINT');
    await sleep(300);
    expect(processFacts(service)).toBeDefined();
    command.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(processFacts(service)).toBeUndefined();
  });
});
