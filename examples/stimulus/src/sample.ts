import type { SubmitRequest } from '@toolstream/client';

const component = (name: string) => `export function ${name}() {\n  return <p>${name}</p>;\n}\n`;

/** What a model might ask for in one turn; the deletion waits for somebody's approval. */
export const SAMPLE: SubmitRequest['tool_calls'] = [
  { id: 'call_1', name: 'os-write', arguments: { file_path: 'src/Hello.tsx', content: component('Hello') } },
  { id: 'call_2', name: 'os-write', arguments: { file_path: 'src/Old.tsx', content: component('Old') } },
  {
    id: 'call_3',
    name: 'os-line-replace',
    arguments: {
      file_path: 'src/Hello.tsx',
      search: '  return <p>Hello</p>;',
      first_replaced_line: 2,
      last_replaced_line: 2,
      replace: '  return <h1>Hello</h1>;',
    },
  },
  { id: 'call_4', name: 'os-delete', arguments: { file_path: 'src/Old.tsx' } },
];
