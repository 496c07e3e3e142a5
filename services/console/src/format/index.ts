export { between, duration } from './duration.ts';
export { bytes, count, counted, percent, share } from './numbers.ts';
export { clockTime, fullTime, relativeTime } from './time.ts';
