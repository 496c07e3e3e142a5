export { type AllowList, forbiddenRange, parseAllowList } from './addresses.ts';
export { toolFetch } from './default.ts';
export { type GuardedFetch, guardedFetch } from './guarded-fetch.ts';
export { FETCH_DEFAULTS, type FetchOptions, fetchOptionsFrom } from './options.ts';
