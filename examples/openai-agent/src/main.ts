import { createClient } from '@toolstream/client';
import { pageScript, startModelStub } from '@toolstream/example-model-stub';
import OpenAI from 'openai';
import { chatAgent, responsesAgent } from './index.ts';

const {
  TOOLSTREAM_URL = 'http://localhost:4400',
  TOOLSTREAM_TOKEN,
  OPENAI_API_KEY,
  OPENAI_MODEL = 'gpt-5-mini',
} = process.env;
if (!TOOLSTREAM_TOKEN) {
  console.error('Set TOOLSTREAM_TOKEN: npm run toolstream -- token prints one for the stack on this machine.');
  process.exit(2);
}

const agent = process.argv.includes('--responses') ? responsesAgent : chatAgent;
// With a key it is the real API (or, by OPENAI_BASE_URL, whatever speaks its language), without one a model without a mind.
const stub = OPENAI_API_KEY ? undefined : await startModelStub(pageScript);
const openai = stub ? new OpenAI({ baseURL: `${stub.url}/v1`, apiKey: 'none' }) : new OpenAI();
const toolstream = createClient({ url: TOOLSTREAM_URL, token: TOOLSTREAM_TOKEN });
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('Interrupted; the run was cancelled.')));

try {
  const { text, runs } = await agent({
    openai,
    toolstream,
    app: 'example',
    model: OPENAI_MODEL,
    prompt: 'Write a small web page that says hello, then read it and tell me what it says.',
    tools: ['os-write', 'os-read'],
    signal: interrupted.signal,
    onText: (words) => process.stderr.write(words),
    onEvent: (item) => {
      if (item.type === 'event' && item.event.type !== 'tool.progressed.v1')
        process.stderr.write(`\n  ${item.event.type}`);
      if (item.type === 'end') process.stderr.write(`\n  the run ${item.status}\n`);
    },
  });
  console.log(JSON.stringify({ text, runs }));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  toolstream.close();
  await stub?.stop();
}
