import type { Json } from '@toolstream/proto-events';
import { ToolAborted } from '@toolstream/tool-kit';
import type { Invocation } from './runner.ts';
import {
  type Channel,
  fromWireError,
  type Operation,
  type Operations,
  type Task,
  type ToHost,
  type ToTool,
  toWireError,
} from './wire.ts';

export const taskOf = ({ tool, args, call }: Invocation): Task => ({
  module: tool.module,
  tool: tool.tool.name,
  args,
  call,
});

export interface RemoteAnswer {
  /** The tool's own end, by message. */
  readonly result: Promise<Json>;
  memoryPeakBytes(): number | undefined;
  /** Stops answering the tool. */
  close(): void;
}

/** The executor's end of a channel: does what the tool asks, forwards the abort, takes the result. */
export function serveTool(
  channel: Channel<ToTool, ToHost>,
  { host, signal }: Invocation,
  onHello: (threadId: number) => void = () => {},
): RemoteAnswer {
  let peak: number | undefined;
  let closed = false;
  const post = (message: ToTool) => {
    if (!closed) channel.post(message);
  };

  const run: {
    [O in Operation]: (id: number, ...args: Operations[O]['args']) => Promise<unknown>;
  } = {
    progress: (_, reports) => host.progress(reports),
    async output(_, chunks) {
      for (const [name, text] of chunks) await host.output(name, text);
    },
    checkpoint: (_, state) => host.checkpoint(state),
    list: (_, prefix, options) => host.workspace.list(prefix, options),
    head: (_, path) => host.workspace.head(path),
    read: (_, path) => host.workspace.read(path),
    write: (id, path, bytes, { measured, ...options }) => {
      const onBytes = (written: number, total: number) => post({ t: 'bytes', id, written, total });
      return host.workspace.write(path, bytes, measured ? { ...options, onBytes } : options);
    },
    putArtifact: (_, bytes) => host.artifacts.put(bytes),
    getArtifact: (_, ref) => host.artifacts.get(ref),
  };

  async function answer(id: number, op: Operation, args: unknown[]): Promise<void> {
    try {
      const value = await (run[op] as (id: number, ...args: unknown[]) => Promise<unknown>)(id, ...args);
      post({ t: 'value', id, value });
    } catch (error) {
      post({ t: 'error', id, error: toWireError(error) });
    }
  }

  const abort = () => {
    const { reason } = signal;
    const aborted = reason instanceof ToolAborted ? reason : new ToolAborted('cancel', String(reason));
    post({ t: 'abort', kind: aborted.kind, message: aborted.message });
  };

  const result = new Promise<Json>((resolve, reject) => {
    channel.onMessage((message) => {
      switch (message.t) {
        case 'hello':
          return onHello(message.threadId);
        case 'call':
          return void answer(message.id, message.op, message.args);
        case 'count':
          return host.count(message.counts);
        case 'log':
          return host.log(message.level, message.message, message.fields);
        case 'done':
          peak = message.memoryPeakBytes;
          return resolve(message.result);
        case 'failed':
          peak = message.memoryPeakBytes;
          return reject(fromWireError(message.error));
      }
    });
  });
  result.catch(() => {});

  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });

  return {
    result,
    memoryPeakBytes: () => peak,
    close() {
      closed = true;
      signal.removeEventListener('abort', abort);
      channel.close();
    },
  };
}
