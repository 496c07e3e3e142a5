import type { Stack } from '../supervisor/index.ts';
import { mintDevelopmentToken } from '../token.ts';

/** What a person needs to know once everything runs. */
export async function welcome(stack: Stack): Promise<string> {
  const edges = stack.edgeUrls.map((url) => url.replace('127.0.0.1', 'localhost'));
  const [first = ''] = edges;
  const lines = ['', 'Toolstream is up.', ...edges.map((url) => `  edge      ${url}`)];
  if (stack.embedded && stack.jwtSecret) {
    const token = await mintDevelopmentToken(stack.jwtSecret);
    lines.push(`  console   ${first}/#token=${token}`, `  token     ${token}`);
  } else {
    lines.push(`  console   ${first}/`, '  token     sign in with one of your own: the parts are not embedded');
  }
  lines.push(
    `  data      ${stack.dataDir}`,
    `  logs      ${stack.dataDir}/log`,
    'Ctrl-C stops it; a second Ctrl-C does not wait.',
    '',
  );
  return lines.join('\n');
}
