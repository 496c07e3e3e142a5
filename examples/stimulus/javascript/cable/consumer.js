import { createConsumer } from '@rails/actioncable';
import { fetchToken } from '../token.js';

const { content } = document.querySelector('meta[name="action-cable-url"]');
const tokenPath = document.querySelector('meta[name="toolstream-token-path"]').content;
let address = content;

/** The stock consumer asks for its address whenever it connects, so it is given one whose token is good. */
export default createConsumer(() => address);

export async function renewAddress() {
  const next = new URL(address);
  next.searchParams.set('jid', await fetchToken(tokenPath));
  address = next.href;
}
