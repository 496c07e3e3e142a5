import { isJSONRPCResponse, type JSONRPCMessage } from '@modelcontextprotocol/client';

/**
 * Delivers a connection's messages so that they count in the order in which they came. The client handles notifications a
 * moment after they arrive and responses at once: without this, the last progress before a result would meet a call that is
 * over. What comes after the response is late, however close it follows.
 */
export class InOrder {
  readonly #answered = new Set<string | number>();

  deliver(message: JSONRPCMessage, deliver: () => void): void {
    if (isJSONRPCResponse(message)) {
      const { id } = message;
      if (id !== undefined) this.#answered.add(id);
      setImmediate(() => {
        if (id !== undefined) this.#answered.delete(id);
        deliver();
      });
    } else if (!this.#isLate(message)) deliver();
  }

  /** The client's progress tokens are the ids of its requests. */
  #isLate(message: JSONRPCMessage): boolean {
    if (!('method' in message) || message.method !== 'notifications/progress') return false;
    const token = (message.params as { progressToken?: string | number } | undefined)?.progressToken;
    return token !== undefined && this.#answered.has(token);
  }
}
