import { ToolFailure, type ToolFetch } from '@toolstream/tool-kit';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { z } from 'zod';
import { faultOf, jsonOf, jsonOrNothing, ProviderFault } from '../providers/provider.ts';
import type { ToolSettings } from '../settings.ts';

export interface ImageRequest {
  readonly prompt: string;
  readonly size: string;
}

export interface ImagesApi {
  readonly base: string;
  /** Resolves to the finished image. `onPartial` is awaited: it gets every earlier state that the API streams. */
  generate(
    fetch: ToolFetch,
    request: ImageRequest,
    signal: AbortSignal,
    onPartial: (bytes: Uint8Array, index: number) => Promise<void>,
  ): Promise<Uint8Array>;
}

const NAME = 'The images API';
const PARTIAL_IMAGES = 2;

const streamed = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('image_generation.partial_image'),
    b64_json: z.string(),
    partial_image_index: z.number(),
  }),
  z.object({ type: z.literal('image_generation.completed'), b64_json: z.string() }),
]);
const whole = z.object({
  data: z.array(z.object({ b64_json: z.string().nullish(), url: z.string().nullish() })).min(1),
});
const refusal = z.object({
  error: z.object({ message: z.string().nullish(), code: z.string().nullish(), type: z.string().nullish() }),
});

/** An OpenAI-compatible images API: streamed where the server does so, or one JSON answer where it does not know how. */
export function openAiImages(settings: ToolSettings): ImagesApi {
  const { TOOLSTREAM_IMAGE_MODEL: model, OPENAI_API_KEY: key, TOOLSTREAM_IMAGE_URL: url } = settings;
  if (key === '' && url === '') {
    const message =
      'Image generation is not configured: set OPENAI_API_KEY of the executors, or TOOLSTREAM_IMAGE_URL for another OpenAI-compatible API, or TOOLSTREAM_IMAGE_PROVIDER=local.';
    throw new ToolFailure({ code: 'not_configured', message });
  }
  const base = (url || 'https://api.openai.com/v1').replace(/\/+$/, '');
  return {
    base,
    async generate(fetch, { prompt, size }, signal, onPartial) {
      const response = await fetch(`${base}/images/generations`, {
        method: 'POST',
        signal,
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream, application/json',
          ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ model, prompt, size, n: 1, stream: true, partial_images: PARTIAL_IMAGES }),
      });
      if (!response.ok) throw faultOf(NAME, response, await wordsOf(response));
      if (/^text\/event-stream/i.test(response.headers.get('content-type') ?? ''))
        return fromStream(response, onPartial);
      return fromJson(fetch, await jsonOf(NAME, response), signal);
    },
  };
}

async function wordsOf(response: Response): Promise<string> {
  const said = refusal.safeParse(await jsonOrNothing(NAME, response)).data?.error;
  return said?.message ?? said?.code ?? '';
}

async function fromStream(
  response: Response,
  onPartial: (bytes: Uint8Array, index: number) => Promise<void>,
): Promise<Uint8Array> {
  const waiting: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void waiting.push(event) });
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    parser.feed(decoder.decode(piece, { stream: true }));
    for (const { data, event } of waiting.splice(0)) {
      if (data === '[DONE]') continue;
      const message = parsed(data);
      if (event === 'error' || refusal.safeParse(message).success) throw streamedFault(message);
      const found = streamed.safeParse(message);
      // Event types come over time; those that are not known say nothing that is needed.
      if (!found.success) continue;
      const bytes = Buffer.from(found.data.b64_json, 'base64');
      if (found.data.type === 'image_generation.completed') return bytes;
      await onPartial(bytes, found.data.partial_image_index);
    }
  }
  throw new ProviderFault('provider_unavailable', `${NAME} ended its stream before the image was complete.`, true);
}

async function fromJson(fetch: ToolFetch, body: unknown, signal: AbortSignal): Promise<Uint8Array> {
  const found = whole.safeParse(body).data?.data[0];
  if (found?.b64_json) return Buffer.from(found.b64_json, 'base64');
  if (!found?.url) throw new ToolFailure({ code: 'provider_answer', message: `${NAME} answered without an image.` });
  const response = await fetch(found.url, { signal });
  if (!response.ok) throw faultOf('The host of the image', response, '');
  return new Uint8Array(await response.arrayBuffer());
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw new ProviderFault('provider_unavailable', `${NAME} streamed something that is not JSON.`, true);
  }
}

/** What is wrong with the request stays wrong; a breakdown may pass. */
function streamedFault(message: unknown): ProviderFault {
  const { message: words, code, type } = refusal.safeParse(message).data?.error ?? {};
  const isOurs = /invalid|moderation|policy|user_error|quota|billing/.test(`${code} ${type}`);
  const said = `${NAME} says: ${(words ?? code ?? 'an error').slice(0, 500)}`;
  return new ProviderFault(isOurs ? 'provider_refused' : 'provider_unavailable', said, !isOurs);
}
