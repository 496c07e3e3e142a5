/** The platform's `fetch`, or one that stands in for it. */
export type ToolFetch = typeof globalThis.fetch;
