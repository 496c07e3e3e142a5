import { createHash } from 'node:crypto';
import type { ArtifactRef, Json } from '@toolstream/proto-events';
import { defineTool, normalPath, type ToolContext, ToolFailure } from '@toolstream/tool-kit';
import { imageSize } from 'image-size';
import { z } from 'zod';
import { clipped } from './files/text.ts';
import { drawLocally } from './image/local-renderer.ts';
import { type ImagesApi, openAiImages } from './image/openai-images.ts';
import { earlierResult, fingerprint, writeRecord } from './own-write.ts';
import { Provider } from './providers/provider.ts';
import { toolSettings } from './settings.ts';

const SIZES = ['1024x1024', '1536x1024', '1024x1536', '512x512', '256x256'] as const;
const TYPES: { readonly [type: string]: string } = {
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
};

interface Generated {
  readonly image: ArtifactRef;
  readonly renderer: string;
}

const providers = new Map<string, Provider>();

function providerOf({ base }: ImagesApi): Provider {
  const present = providers.get(base);
  if (present) return present;
  const limits = { attemptTimeoutMs: 150_000, deadlineMs: 200_000, initialDelayMs: 1_000, maxDelayMs: 10_000 };
  const made = new Provider('The images API', limits);
  providers.set(base, made);
  return made;
}

const isLocal = toolSettings().TOOLSTREAM_IMAGE_PROVIDER === 'local';

export const generateImage = defineTool({
  name: 'generate_image',
  description: isLocal
    ? "Draw an abstract placeholder picture for a prompt and save it in the app's workspace. No image model is configured: colours follow the prompt, the content does not."
    : "Generate an image from a description and save it in the app's workspace. Gives the address under which it is served, and its dimensions.",
  input: z.object({
    prompt: z.string().trim().min(1).max(4000).describe('What the image shows'),
    size: z.enum(SIZES).default('1024x1024').describe('Width x height in pixels'),
    file_path: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe('Where to save it in the workspace; default: under images/'),
  }),
  // A lost attempt's image is kept as an artifact and found again: it is not paid for twice once it was uploaded.
  idempotent: true,
  // A provider's work is waited for, and what is learned of its health is shared; a local picture is computed.
  isolation: isLocal ? 'thread' : 'inline',
  timeoutMs: 240_000,
  retries: { max_attempts: 2, initial_ms: 2_000 },
  estimatedMs: isLocal ? 2_000 : 25_000,

  async run(ctx, { prompt, size, file_path }) {
    // As it is kept: the address of the image is made of it.
    const path = file_path === undefined ? defaultPath(ctx, prompt) : normalPath(file_path);
    const asked = fingerprint({ prompt, size, file_path: path });
    const head = await ctx.workspace.head(path);
    const earlier = earlierResult(ctx, head, asked);
    if (earlier !== undefined) return earlier;

    await ctx.progress({ stage: 'preparing', message: 'Preparing image generation' });
    const { bytes, ref, renderer } = (await kept(ctx)) ?? (await generated(ctx, prompt, size));
    const measured = measure(bytes);
    const created = head === undefined;
    const result = {
      file_path: path,
      image_url: `/v1/apps/${encodeURIComponent(ctx.call.app)}/files/${path.split('/').map(encodeURIComponent).join('/')}`,
      image_size: bytes.byteLength,
      dimensions: `${measured.width}x${measured.height}`,
      content_type: measured.contentType,
      renderer,
      artifact: ref.$ref.artifact,
    };
    const counts = { bytes_written: bytes.byteLength, files_created: created ? 1 : 0 };
    await ctx.workspace.write(path, bytes, {
      expectedRevision: head?.revision ?? 0,
      meta: writeRecord(asked, result, counts),
    });
    for (const [name, amount] of Object.entries(counts)) ctx.metrics.add(name as keyof typeof counts, amount);
    const { image_url, image_size, dimensions } = result;
    await ctx.progress({
      stage: 'complete',
      message: `Image ${renderer === 'local' ? 'drawn by the local renderer' : 'generated'} and saved as ${path}`,
      progress: 100,
      details: { image_url, image_size, dimensions, renderer },
    });
    return result;
  },
});

/** The image of an earlier attempt that was lost after its upload. */
async function kept(ctx: ToolContext) {
  const state = ctx.checkpointState as unknown as Generated | undefined;
  const bytes = state && (await ctx.artifacts.get(state.image));
  return bytes && { bytes, ref: state.image, renderer: state.renderer };
}

async function generated(ctx: ToolContext, prompt: string, size: string) {
  const { TOOLSTREAM_IMAGE_PROVIDER: provider } = toolSettings();
  const bytes = provider === 'local' ? await drawn(ctx, prompt, size) : await requested(ctx, prompt, size);
  const { contentType } = measure(bytes);
  const uploading = (uploaded: number) =>
    ctx.progress({
      stage: 'uploading',
      message: 'Uploading the image',
      progress: Math.floor((uploaded / bytes.byteLength) * 100),
      details: { uploaded_bytes: uploaded, total_bytes: bytes.byteLength },
    });
  await uploading(0);
  const ref = await ctx.artifacts.put(bytes, { contentType, onBytes: (uploaded) => void uploading(uploaded) });
  await ctx.checkpoint({ image: ref, renderer: provider } as unknown as Json);
  return { bytes, ref, renderer: provider as string };
}

/** Rows are counted: this percentage is a measured one. */
async function drawn(ctx: ToolContext, prompt: string, size: string): Promise<Uint8Array> {
  const [width = 0, height = 0] = size.split('x').map(Number);
  const drawing = drawLocally(prompt, width, height);
  for (;;) {
    const step = drawing.next();
    if (step.done) return step.value;
    ctx.signal.throwIfAborted();
    await ctx.progress({
      stage: 'generating',
      message: 'Drawing with the local renderer (no image model is configured)',
      progress: Math.floor((step.value / height) * 100),
      details: { prompt: clipped(prompt, 100), renderer: 'local', rows_drawn: step.value, total_rows: height },
    });
  }
}

/** How far a model is nobody says: there is no percentage, but its partial images are shown as they come. */
async function requested(ctx: ToolContext, prompt: string, size: string): Promise<Uint8Array> {
  const settings = toolSettings();
  const api = openAiImages(settings);
  const generating = (message: string, more: { [key: string]: Json } = {}) =>
    ctx.progress({
      stage: 'generating',
      message,
      details: { prompt: clipped(prompt, 100), renderer: 'openai', model: settings.TOOLSTREAM_IMAGE_MODEL, ...more },
    });
  await generating(`Generating the image with ${settings.TOOLSTREAM_IMAGE_MODEL}`);
  return providerOf(api).call(
    ctx,
    (signal) =>
      api.generate(ctx.fetch, { prompt, size }, signal, async (partial, index) => {
        const { $ref } = await ctx.artifacts.put(partial, { contentType: measure(partial).contentType });
        await generating(`Received partial image ${index + 1}`, {
          partial_images: index + 1,
          preview_artifact: $ref.artifact,
          preview_bytes: partial.byteLength,
        });
      }),
    ({ delayMs, reason }) => void generating(`${reason} Trying again in ${Math.ceil(delayMs)} ms`),
  );
}

/** From the bytes themselves, whatever was asked for. */
function measure(bytes: Uint8Array): { width: number; height: number; contentType: string } {
  try {
    const { width, height, type = '' } = imageSize(bytes);
    return { width, height, contentType: TYPES[type] ?? 'application/octet-stream' };
  } catch (cause) {
    const message = `The ${bytes.byteLength} bytes that came are not an image that is known.`;
    throw new ToolFailure({ code: 'provider_answer', message, cause });
  }
}

/** One of this call's own, the same for each of its attempts. */
function defaultPath({ call }: ToolContext, prompt: string): string {
  const words = prompt.toLowerCase().match(/[a-z0-9]+/g) ?? ['image'];
  const slug = words.slice(0, 6).join('-').slice(0, 48);
  const own = createHash('sha256').update(`${call.run}.${call.index}`).digest('hex').slice(0, 8);
  return `images/${slug}-${own}.png`;
}
