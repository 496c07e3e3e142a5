import { z } from 'zod';
import { RUN_ID_PATTERN, TOKEN_PATTERN } from './ids.ts';

export const token = z.string().regex(TOKEN_PATTERN, 'must be 1 to 64 characters of A-Z a-z 0-9 _ -');

export const runId = z.string().regex(RUN_ID_PATTERN, 'must be a run id as returned by POST /v1/runs');
