import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { EDGE_URL } from './config.ts';
import { Session, signInFromAddress, tabStorage } from './session/index.ts';
import './theme/fonts.css';
import './theme/tokens.css';
import './theme/base.css';
import { beginTheme } from './theme/theme.ts';

beginTheme();
const session = new Session({ url: EDGE_URL, keep: tabStorage, now: Date.now });
// Before the router reads the address; and again when a link is opened in a page that is already there.
signInFromAddress(session, window);
window.addEventListener('hashchange', () => signInFromAddress(session, window));

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element #root.');
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
