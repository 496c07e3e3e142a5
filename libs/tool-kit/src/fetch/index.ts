export { type AllowList, parseAllowList } from './addresses.ts';
export { type GuardedFetch, guardedFetch } from './guarded-fetch.ts';
export { type FetchOptions, fetchOptionsFrom } from './options.ts';
