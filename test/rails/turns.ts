export const FILE = { file_path: 'src/list.ts', content: 'one\ntwo\nthree\n' };
export const CHANGE = {
  file_path: 'src/list.ts',
  search: 'two',
  first_replaced_line: 2,
  last_replaced_line: 2,
  replace: 'zwei',
};

const CALLS = [
  { id: 'a', name: 'os-write', input: FILE },
  { id: 'b', name: 'os-line-replace', input: CHANGE },
  { id: 'c', name: 'no-such-tool', input: {} },
];

/** The same turn as each model's API writes it. */
export const TURNS = {
  openai: CALLS.map(({ id, name, input }) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(input) },
  })),
  anthropic: CALLS.map((call) => ({ type: 'tool_use', ...call })),
};
