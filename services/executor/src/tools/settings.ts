import { fetchOptionsFrom } from '@toolstream/tool-kit';
import { z } from 'zod';

const fetchOption = (name: string) =>
  z
    .string()
    .default('')
    .superRefine((value, ctx) => {
      try {
        fetchOptionsFrom({ [name]: value });
      } catch (error) {
        ctx.addIssue({ code: 'custom', message: (error as Error).message });
      }
    });
const flag = z
  .enum(['0', '1', ''])
  .default('0')
  .transform((value) => value === '1');
const address = z.union([z.literal(''), z.url({ protocol: /^https?$/ })]).default('');

/**
 * What the bundled tools read from the environment, in whichever thread or process they run. The executor's own
 * configuration holds them too, so that a mistake shows when it starts.
 */
export const toolSettingsShape = {
  /** Hosts, host:port, addresses and CIDR blocks that tools may fetch from although they are not public; comma-separated. */
  TOOLSTREAM_FETCH_ALLOW: fetchOption('TOOLSTREAM_FETCH_ALLOW'),
  /** Tools' requests go through this proxy. It then has to keep the rules about addresses. */
  TOOLSTREAM_FETCH_PROXY: fetchOption('TOOLSTREAM_FETCH_PROXY'),
  TOOLSTREAM_FETCH_MAX_BYTES: fetchOption('TOOLSTREAM_FETCH_MAX_BYTES'),
  TOOLSTREAM_SEARCH_PROVIDER: z.enum(['', 'searxng', 'brave', 'tavily']).default(''),
  /** Of SearXNG, or in place of a provider's own address. */
  TOOLSTREAM_SEARCH_URL: address,
  BRAVE_API_KEY: z.string().default(''),
  TAVILY_API_KEY: z.string().default(''),
  /** `local` draws an abstract picture without any model. */
  TOOLSTREAM_IMAGE_PROVIDER: z.enum(['local', 'openai']).default('local'),
  /** Of an OpenAI-compatible images API, with its version. */
  TOOLSTREAM_IMAGE_URL: address,
  TOOLSTREAM_IMAGE_MODEL: z.string().min(1).default('gpt-image-1'),
  OPENAI_API_KEY: z.string().default(''),
  /** 1: serve the tool `shell`. */
  TOOLSTREAM_SHELL: flag,
  /** Programs that it may start, comma-separated. */
  TOOLSTREAM_SHELL_ALLOW: z.string().default(''),
};
const schema = z.object(toolSettingsShape);
export type ToolSettings = z.infer<typeof schema>;

export const toolSettings = (env: NodeJS.ProcessEnv = process.env): ToolSettings => schema.parse(env);
