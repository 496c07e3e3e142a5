import type { RunAgentInput } from './input.ts';

type Message = RunAgentInput['messages'][number];
type ToolCall = NonNullable<Message['toolCalls']>[number];

/** What the messages of a request say about tool calls. */
export interface Conversation {
  /** Calls that the client has in its messages. */
  readonly calls: ReadonlySet<string>;
  /** Those of them that are answered in it. */
  readonly results: ReadonlySet<string>;
  /** The id of the newest assistant message. */
  readonly message: string | undefined;
  /** Its calls that have no answer yet. */
  readonly unanswered: readonly ToolCall[];
}

/** An id names a call within its turn: a result answers the newest call of that id before it. */
export function conversationOf(messages: readonly Message[]): Conversation {
  const calls = new Set<string>();
  const results = new Set<string>();
  let newest: Message | undefined;
  for (const message of messages) {
    if (message.role === 'assistant') {
      newest = message;
      for (const { id } of message.toolCalls ?? []) {
        calls.add(id);
        results.delete(id);
      }
    } else if (message.role === 'tool' && message.toolCallId != null) {
      results.add(message.toolCallId);
    }
  }
  const unanswered = (newest?.toolCalls ?? []).filter(({ id }) => !results.has(id));
  return { calls, results, message: newest?.id, unanswered };
}
