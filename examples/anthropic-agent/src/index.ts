export { type AgentOptions, type Conversation, messagesAgent } from './agent.ts';
