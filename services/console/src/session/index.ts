export { type Scope, SessionProvider, useIdentity, useSession } from './SessionProvider.tsx';
export { Session, type SessionState, signInFromAddress, tabStorage } from './session.ts';
export { Tabs } from './tabs.ts';
export type { Identity } from './token.ts';
