import { isJSONRPCResponse, type JSONRPCMessage } from '@modelcontextprotocol/client';

/**
 * Delivers a message so that it counts when it came. The client handles notifications a moment after they arrive and
 * responses at once: without this, the last progress before a result would meet a call that is over.
 */
export function inOrder(message: JSONRPCMessage, deliver: () => void): void {
  if (isJSONRPCResponse(message)) setImmediate(deliver);
  else deliver();
}
