import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { EDGE_URL } from './config.ts';
import { Session, signInFromAddress, Tabs, tabStorage } from './session/index.ts';
import { ViewNotLoaded } from './shell/lazy-view.tsx';
import './theme/fonts.css';
import './theme/tokens.css';
import './theme/base.css';
import { beginTheme } from './theme/theme.ts';

/** Other tabs answer within a few milliseconds, if there are any. */
const OTHER_TABS_MS = 150;

beginTheme();
const session = new Session({ url: EDGE_URL, keep: tabStorage, now: Date.now });
// Before the router reads the address; and again when a link is opened in a page that is already there.
signInFromAddress(session, window);
window.addEventListener('hashchange', () => signInFromAddress(session, window));
const tabs = new Tabs(session);
if (session.state.status === 'signed_out') await tabs.ask(OTHER_TABS_MS);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root.');
// That a part could not be fetched is said on the page, and is no fault of it.
const onCaughtError = (error: unknown) => {
  if (!(error instanceof ViewNotLoaded)) reportError(error);
};
createRoot(root, { onCaughtError }).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
