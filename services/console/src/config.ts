/** The edge that served this page: the console has no server of its own. */
export const EDGE_URL: string = globalThis.location?.origin ?? 'http://localhost:4400';
