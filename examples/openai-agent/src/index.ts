export { type AgentOptions, type Conversation, chatAgent } from './chat-agent.ts';
export { responsesAgent } from './responses-agent.ts';
