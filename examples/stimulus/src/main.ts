import { createClient } from '@toolstream/client';
import { startExample } from './server.ts';

const { TOOLSTREAM_URL = 'http://localhost:4400', TOOLSTREAM_TOKEN, PORT = '4500' } = process.env;
if (!TOOLSTREAM_TOKEN) {
  console.error('Set TOOLSTREAM_TOKEN: npm run toolstream -- token prints one for the stack on this machine.');
  process.exit(2);
}

const client = createClient({ url: TOOLSTREAM_URL, token: TOOLSTREAM_TOKEN });
const example = await startExample({
  toolstream: TOOLSTREAM_URL,
  client,
  app: 'example',
  // For the machine it runs on. An application mints one for one app and a few minutes: see examples/rails.
  pageToken: () => TOOLSTREAM_TOKEN,
  port: Number(PORT),
});
console.log(example.url);
console.log(`The same with the stock ActionCable consumer: ${example.url}/cable/hello`);
console.log(`As a custom element: ${example.url}/element/hello`);
process.once('SIGINT', () => {
  client.close();
  void example.close();
});
