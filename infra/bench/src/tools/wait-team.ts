import { waiting } from './waiting.ts';

/** For the pool of several executors. */
export const tools = [waiting('bench-wait-team')];
