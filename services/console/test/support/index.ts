export { expectAccessible, sidewaysBy } from './accessible.ts';
export { DESKTOP, MOBILE, type OpenOptions, type System, startSystem } from './system.ts';
