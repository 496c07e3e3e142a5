import { type ErrorCode, errorCodes } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { asRefusal, invalid, problemOf, problemSchema, Refusal, refusalOf, retryAfterOf } from '../src/problems.ts';

describe('a refusal', () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])('%s becomes a problem of its status, with a way out', (code) => {
    const problem = problemOf(new Refusal(code, 'What happened.'), 'id');
    expect(problemSchema.parse(problem)).toEqual(problem);
    expect(problem).toMatchObject({
      status: errorCodes[code].status,
      code,
      detail: 'What happened.',
      help: errorCodes[code].help,
      request_id: 'id',
    });
    const retry = retryAfterOf(new Refusal(code));
    expect(retry !== undefined).toBe([429, 503].includes(problem.status));
  });

  it('of another service keeps its code and its time; an unknown code is a fault', () => {
    const full = refusalOf({ code: 'log_full', message: 'Full.', retry_after_s: 4.2 });
    expect(full.code).toBe('log_full');
    expect(retryAfterOf(full)).toBe(5);
    expect(refusalOf({ code: 'whatever', message: '?' }).code).toBe('internal');
  });

  it('is made of whatever was thrown, and tells nothing of faults', () => {
    expect(asRefusal(new Refusal('busy')).code).toBe('busy');
    expect(asRefusal(Object.assign(new Error('x'), { code: 'unavailable' })).code).toBe('unavailable');
    expect(asRefusal(Object.assign(new Error('x'), { name: 'ClosedConnectionError' })).code).toBe('unavailable');
    const fault = asRefusal(new TypeError('cannot read secrets of undefined'));
    expect(fault.code).toBe('internal');
    expect(fault.message).not.toContain('secrets');
    expect(asRefusal('text').code).toBe('internal');
  });

  it('names the fields of the branch that was meant', () => {
    const schema = z.object({
      at: z.union([
        z.object({ type: z.literal('a'), n: z.number() }),
        z.object({ type: z.literal('b'), s: z.string() }),
      ]),
    });
    const error = schema.safeParse({ at: { type: 'b', s: 5 } }).error!;
    expect(invalid(error).fields).toEqual([{ path: 'at.s', message: expect.any(String) }]);
  });
});
