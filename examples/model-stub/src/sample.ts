import type { Script } from './script.ts';

export const PAGE = '<h1>Hello from a tool</h1>\n';

/** What a model might do that is asked for a page: write it, with a mistake in another call, look at it, and say so. */
export const pageScript: Script = (results, turn) => {
  if (turn === 0) {
    return {
      text: 'I write the page and its style.',
      calls: [
        { name: 'os-write', arguments: { file_path: 'index.html', content: PAGE } },
        { name: 'os-write', arguments: { file_path: 'style.css' } },
        { name: 'os-write', arguments: { file_path: 'site.css', content: 'h1 { color: teal }\n' } },
      ],
    };
  }
  if (turn === 1) {
    return {
      text: 'One call was wrong. I read the page.',
      calls: [{ name: 'os-read', arguments: { file_path: 'index.html' } }],
    };
  }
  const seen = results.some(({ content }) => content.includes('Hello from a tool'));
  return { text: seen ? 'The page says: Hello from a tool.' : 'The page is not what I wrote.' };
};
