import { describe, expect, it } from 'vitest';
import { parseDeliveryInfo } from './delivery.ts';

describe('what a delivery says of itself', () => {
  const info = { consumer: 'default_high_0', deliveries: 2, streamSeq: 41, pending: 7 };

  it('is read from the short form', () => {
    expect(parseDeliveryInfo('$JS.ACK.JOBS.default_high_0.2.41.9.1795493341504626210.7')).toEqual(info);
  });

  it('is read from the long form with domain and account', () => {
    expect(parseDeliveryInfo('$JS.ACK._.abc.JOBS.default_high_0.2.41.9.1795493341504626210.7.rnd')).toEqual(info);
  });

  it.each(['', '_INBOX.x.1', '$JS.ACK.JOBS.c.1', '$JS.ACK.JOBS.c.x.1.1.1.0'])('is not there in %j', (reply) => {
    expect(parseDeliveryInfo(reply)).toBeUndefined();
  });
});
