import { ApiError, ConnectionError } from '@toolstream/client';
import { expect, it } from 'vitest';
import { explain } from './explain.ts';

it('Every error is a sentence, what to do about it, and its code where it has one', () => {
  const refused = new ApiError('forbidden', 'the token lacks runs:control', { status: 403, retryAfterMs: undefined });
  expect(explain(refused)).toMatchObject({ message: 'The token lacks runs:control.', code: 'forbidden' });
  expect(explain(refused).advice).toContain('Sign in');
  expect(explain(new ConnectionError('unreachable', 'x')).advice).toContain('Runs go on');
  expect(explain(new TypeError('x is not a function')).advice).toContain('Reload');
  const advised = Object.assign(new Error('it broke'), { code: 'broke', advice: 'Mend it.' });
  expect(explain(advised)).toEqual({ message: 'It broke.', advice: 'Mend it.', code: 'broke' });
  expect(explain('text').message).toBe('Something went wrong on this page.');
});
