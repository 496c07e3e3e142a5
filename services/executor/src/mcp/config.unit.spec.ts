import { describe, expect, it } from 'vitest';
import { readMcpServers } from './config.ts';

const source = { env: { TOKEN: 's3cret', EMPTY: '' }, readFile: () => '{"mcpServers":{"a":{"command":"a"}}}' };
const read = (mcpServers: unknown) => readMcpServers(JSON.stringify({ mcpServers }), source);

describe('The configuration of MCP servers', () => {
  it('is JSON, or the path of a file of it, and may be absent', () => {
    expect(readMcpServers('  ', source)).toEqual({ servers: [], problems: [] });
    expect(readMcpServers('/etc/mcp.json', source).servers).toMatchObject([{ name: 'a', command: 'a' }]);
    expect(readMcpServers('{"mcpServers":{}', source).problems).toMatchObject([
      { message: expect.stringMatching(/^must be JSON, or the path/) },
    ]);
  });

  it('takes the shape that other clients use', () => {
    const { servers, problems } = read({
      local: { command: 'npx', args: ['-y', 'x'], env: { A: '1' } },
      remote: { type: 'http', url: 'https://mcp.example/mcp', headers: { authorization: 'Bearer x' } },
      unused: { command: 'x', disabled: true },
    });
    expect(problems).toEqual([]);
    expect(servers.map(({ name }) => name)).toEqual(['local', 'remote']);
    expect(servers[0]).toMatchObject({ args: ['-y', 'x'], elicitation: 'decline', exclude: [], roots: [] });
  });

  it('puts variables in place, so that the file holds no secrets', () => {
    const { servers, problems } = read({
      remote: {
        url: 'https://mcp.example/${' + 'EMPTY:-v1}',
        headers: { authorization: 'Bearer ${' + 'TOKEN}' },
      },
    });
    expect(problems).toEqual([]);
    expect(servers).toMatchObject([{ url: 'https://mcp.example/v1', headers: { authorization: 'Bearer s3cret' } }]);
  });

  it('names all problems at once, each with its place', () => {
    const { problems } = read({
      both: { command: 'x', url: 'http://x' },
      none: {},
      typo: { command: 'x', aproval: 'never' },
      wrong: { command: 'x', timeoutMs: 0, tools: { t: { approval: 'sometimes' } } },
      missing: { command: 'x', env: { A: '${' + 'NOT_SET}' } },
      file: { url: 'file:///etc/passwd' },
    });
    const byPlace = Object.fromEntries(problems.map(({ path, message }) => [path.slice(1).join('.'), message]));
    expect(byPlace).toMatchObject({
      both: expect.stringContaining('one of them'),
      none: expect.stringContaining('needs a command'),
      typo: expect.stringContaining('aproval'),
      'wrong.timeoutMs': expect.any(String),
      'wrong.tools.t.approval': expect.any(String),
      missing: expect.stringContaining('NOT_SET'),
      'file.url': 'must be an http(s) address',
    });
    expect(JSON.stringify(problems)).not.toContain('s3cret');
  });
});
