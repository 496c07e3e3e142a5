import { loadConfig } from '@toolstream/service-kit';
import { describe, expect, it } from 'vitest';
import { orchestratorConfig } from './config.ts';

describe('the configuration', () => {
  it('has a default for everything', () => {
    const config = loadConfig(orchestratorConfig, {});
    expect(config.TOOLSTREAM_MAX_RUN_AGE).toBe(14 * 86_400_000);
    expect(config.TOOLSTREAM_RUN_TIMEOUT).toBe(86_400_000);
    expect(config.TOOLSTREAM_APPROVAL_TIMEOUT).toBe(43_200_000);
    expect(config.TOOLSTREAM_SWEEP_INTERVAL).toBe(30_000);
  });

  it('reads durations with a unit, and milliseconds without', () => {
    const config = loadConfig(orchestratorConfig, { TOOLSTREAM_MAX_RUN_AGE: '90m', TOOLSTREAM_FAILOVER: '1500' });
    expect(config.TOOLSTREAM_MAX_RUN_AGE).toBe(5_400_000);
    expect(config.TOOLSTREAM_FAILOVER).toBe(1_500);
  });

  it('names every variable that is wrong', () => {
    const load = () =>
      loadConfig(orchestratorConfig, { TOOLSTREAM_MAX_RUN_AGE: 'soon', TOOLSTREAM_SWEEP_RATE: '0', NATS_URL: 'x' });
    expect(load).toThrow(/TOOLSTREAM_MAX_RUN_AGE: must be a duration[\s\S]*TOOLSTREAM_SWEEP_RATE/);
  });
});
