/** Above this many bytes of JSON a value is stored as an artifact before the append. */
export const INLINE_LIMIT_BYTES = 32 * 1024;
/** No event is larger; whatever would make it so goes to an artifact. */
export const EVENT_LIMIT_BYTES = 256 * 1024;
/** Of a tool's output a snapshot keeps the last this many characters. */
export const OUTPUT_TAIL_CHARS = 16 * 1024;
/** Calls in one run. */
export const MAX_CALLS = 256;
