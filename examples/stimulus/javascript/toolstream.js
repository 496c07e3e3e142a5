import { createClient } from '@toolstream/client';
import { fetchToken } from './token.js';

const meta = (name) => document.querySelector(`meta[name="toolstream-${name}"]`)?.content;

let current;

/**
 * One client for everything on a page, as `channels/consumer` is, so one connection. Its first token came with the page;
 * the next ones are fetched. A visit to another app brings another address to fetch them from, and so another client.
 */
export function toolstream() {
  const path = meta('token-path');
  if (current?.path === path) return current.client;
  current?.client.close();
  let inPage = meta('token');
  const token = async () => {
    const first = inPage;
    inPage = undefined;
    return first || fetchToken(path);
  };
  current = { path, client: createClient({ url: meta('url'), token }) };
  return current.client;
}
