import { waiting } from './waiting.ts';

/** For the pool of one executor. */
export const tools = [waiting('bench-wait-solo')];
