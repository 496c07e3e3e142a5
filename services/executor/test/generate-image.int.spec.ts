import { imageSize } from 'image-size';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateImage } from '../src/tools/generate-image.ts';
import { drawLocally } from '../src/tools/image/local-renderer.ts';
import { Recording, record } from './recording.ts';
import { type Answer, WebServer } from './web-server.ts';

let server: WebServer;
beforeAll(() => {
  process.env.TOOLSTREAM_FETCH_ALLOW = '127.0.0.1';
});
/** A server of its own for every test: breakers are kept by address. */
beforeEach(async () => {
  server = await WebServer.start();
  return async () => {
    for (const name of ['TOOLSTREAM_IMAGE_PROVIDER', 'TOOLSTREAM_IMAGE_URL', 'OPENAI_API_KEY'])
      delete process.env[name];
    await server.stop();
  };
});
afterAll(() => {
  delete process.env.TOOLSTREAM_FETCH_ALLOW;
});

function drawn(prompt: string, width: number, height: number): Uint8Array {
  const drawing = drawLocally(prompt, width, height);
  for (;;) {
    const step = drawing.next();
    if (step.done) return step.value;
  }
}
const PICTURE = Buffer.from(drawn('a picture', 64, 32));
const ROUGH = Buffer.from(drawn('a rough picture', 64, 32));

describe('the local renderer', () => {
  it('draws the same picture for the same prompt, another for another', () => {
    expect(drawn('blue sky', 40, 20)).toEqual(drawn('blue sky', 40, 20));
    expect(drawn('blue sky', 40, 20)).not.toEqual(drawn('red sunset', 40, 20));
    expect(imageSize(drawn('x', 40, 20))).toMatchObject({ width: 40, height: 20, type: 'png' });
    for (const prompt of ['constructor', '__proto__ toString', '🙂', '42'])
      expect(drawn(prompt, 8, 8).length).toBeGreaterThan(50);
  });

  it('says what it is, wherever it is shown, and measures what it does', async () => {
    const { result, reports, stages, files, artifacts, counts } = await record(generateImage, {
      prompt: 'A blue whale in the ocean',
      size: '256x256',
    });
    expect(stages).toEqual(['preparing', 'generating', 'uploading', 'complete']);
    expect(result).toMatchObject({ renderer: 'local', dimensions: '256x256', content_type: 'image/png' });
    const [path = ''] = files.keys();
    expect(path).toMatch(/^images\/a-blue-whale-in-the-ocean-[0-9a-f]{8}\.png$/);
    expect(result.image_url).toBe(`/v1/apps/web/files/${path}`);
    expect(artifacts[0]).toEqual(files.get(path));
    expect(counts).toEqual({ bytes_written: files.get(path)?.byteLength, files_created: 1 });
    for (const { stage, message, progress, details } of reports) {
      if (stage === 'preparing') expect(progress).toBeUndefined();
      if (stage === 'generating') {
        expect(message).toContain('local renderer');
        expect(progress).toBe(Math.floor(((details?.rows_drawn as number) / 256) * 100));
      }
      if (stage === 'complete')
        expect([message, details?.renderer]).toEqual([expect.stringContaining('local'), 'local']);
    }
  });

  it('stops when the call is stopped', async () => {
    const recording = new Recording('generate_image');
    recording.controller.abort(new Error('cancelled'));
    await expect(generateImage.invoke(recording.context, { prompt: 'x' })).rejects.toThrow('cancelled');
    expect(recording.artifacts).toEqual([]);
  });
});

describe('an OpenAI-compatible API', () => {
  beforeEach(() =>
    Object.assign(process.env, {
      TOOLSTREAM_IMAGE_PROVIDER: 'openai',
      TOOLSTREAM_IMAGE_URL: `${server.base}/v1`,
      OPENAI_API_KEY: 'sk-test',
    }),
  );
  const events =
    (...list: { type: string; [key: string]: unknown }[]): Answer =>
    (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      const text = list.map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`).join('');
      // Cut anywhere: what arrives is not what was written.
      for (let at = 0; at < text.length; at += 1000) response.write(text.slice(at, at + 1000));
      response.end();
    };
  const about = { created_at: 1, size: '1024x1024', quality: 'high', background: 'opaque', output_format: 'png' };
  const partial = (index: number) => ({
    type: 'image_generation.partial_image',
    b64_json: ROUGH.toString('base64'),
    partial_image_index: index,
    ...about,
  });
  const completed = {
    type: 'image_generation.completed',
    b64_json: PICTURE.toString('base64'),
    ...about,
    usage: {
      total_tokens: 100,
      input_tokens: 50,
      output_tokens: 50,
      input_tokens_details: { text_tokens: 10, image_tokens: 40 },
    },
  };

  it('streams partial images, which are shown as they come', async () => {
    server.answer = events(partial(0), { type: 'image_generation.something_new' }, partial(1), completed);
    const { result, reports, stages, artifacts, counts } = await record(generateImage, {
      prompt: 'A whale',
      file_path: 'art/whale.png',
    });
    const [request] = server.received;
    expect([request?.method, request?.url.pathname, request?.headers.authorization]).toEqual([
      'POST',
      '/v1/images/generations',
      'Bearer sk-test',
    ]);
    expect(JSON.parse(request?.body ?? '')).toEqual({
      model: 'gpt-image-1',
      prompt: 'A whale',
      size: '1024x1024',
      n: 1,
      stream: true,
      partial_images: 2,
    });
    expect(stages).toEqual(['preparing', 'generating', 'uploading', 'complete']);
    expect(artifacts).toEqual([ROUGH, ROUGH, PICTURE]);
    const generating = reports.filter(({ stage }) => stage === 'generating');
    expect(generating.map(({ details }) => details?.preview_artifact)).toEqual([undefined, 'a1', 'a2']);
    expect(generating.every(({ progress }) => progress === undefined)).toBe(true);
    // Measured from the bytes, whatever the API says of them.
    expect(result).toMatchObject({
      dimensions: '64x32',
      image_size: PICTURE.byteLength,
      renderer: 'openai',
      file_path: 'art/whale.png',
    });
    expect(counts.api_calls).toBe(1);
  });

  it.each([
    ['the image itself', () => ({ b64_json: PICTURE.toString('base64'), revised_prompt: 'x' })],
    ['an address', () => ({ url: `${server.base}/picture` })],
  ])('one that cannot stream answers with %s', async (_, data) => {
    server.answer = ({ url }, response) => {
      if (url.pathname === '/picture') response.writeHead(200, { 'content-type': 'image/png' }).end(PICTURE);
      else server.json(200, { created: 1, data: [data()] })({} as never, response);
    };
    const { result } = await record(generateImage, { prompt: 'A whale' });
    expect(result).toMatchObject({ dimensions: '64x32', image_size: PICTURE.byteLength });
  });

  it('an address that leads inwards is not followed', async () => {
    server.answer = server.json(200, { data: [{ url: 'http://169.254.169.254/latest' }] });
    await expect(record(generateImage, { prompt: 'x' })).rejects.toMatchObject({ code: 'url_forbidden' });
  });

  it('is tried again after a breakdown, also in the middle of a stream', async () => {
    const answers = [
      server.json(500, { error: { message: 'The server had an error', type: 'server_error', code: null } }),
      events(partial(0)),
      events(completed),
    ];
    server.answer = (...args) => answers.shift()?.(...args);
    const { counts, result } = await record(generateImage, { prompt: 'x' });
    expect([counts.api_calls, result.dimensions]).toEqual([3, '64x32']);
  });

  it.each([
    [
      'moderation',
      400,
      { message: 'Your request was rejected', type: 'image_generation_user_error', code: 'moderation_blocked' },
    ],
    [
      'a bad key',
      401,
      { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' },
    ],
  ])('%s is final', async (_, status, error) => {
    server.answer = server.json(status, { error });
    await expect(record(generateImage, { prompt: 'x' })).rejects.toMatchObject({
      code: 'provider_refused',
      retryable: false,
      message: expect.stringContaining(error.message),
    });
    expect(server.received).toHaveLength(1);
  });

  it('a refusal within the stream is final too', async () => {
    server.answer = events(partial(0), {
      type: 'error',
      error: { type: 'image_generation_user_error', code: 'moderation_blocked', message: 'No.' },
    });
    await expect(record(generateImage, { prompt: 'x' })).rejects.toMatchObject({ code: 'provider_refused' });
  });

  it('what is no image is refused', async () => {
    server.answer = events({ ...completed, b64_json: Buffer.from('<html>').toString('base64') });
    await expect(record(generateImage, { prompt: 'x' })).rejects.toMatchObject({ code: 'provider_answer' });
  });

  it('without a key or an address it says what to set', async () => {
    for (const name of ['TOOLSTREAM_IMAGE_URL', 'OPENAI_API_KEY']) delete process.env[name];
    await expect(record(generateImage, { prompt: 'x' })).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringContaining('OPENAI_API_KEY'),
    });
  });
});
