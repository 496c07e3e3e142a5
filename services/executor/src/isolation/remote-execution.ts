import type { Json } from '@toolstream/proto-events';
import { ToolAborted } from '@toolstream/tool-kit';
import { type Invocation, ToolCrashed, type Usage } from './runner.ts';
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
  /** As its thread or process measured it; empty until it has answered. */
  usage(): Usage;
  /** Stops answering the tool. */
  close(): void;
}

/** A piece of a stream that the tool has been asked for. */
interface Pull {
  resolve(bytes: Uint8Array | undefined): void;
  reject(error: Error): void;
}

/** The executor's end of a channel: does what the tool asks, forwards the abort, takes the result. */
export function serveTool(
  channel: Channel<ToTool, ToHost>,
  { host, signal }: Invocation,
  onHello: (hello: { readonly threadId: number; readonly cpuMs: number }) => void = () => {},
): RemoteAnswer {
  let usage: Usage = {};
  let closed = false;
  const pulls = new Map<number, Pull>();
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
    async delete(_, path, options) {
      await host.workspace.delete(path, options);
    },
    rename: (_, from, to, options) => host.workspace.rename(from, to, options),
    putArtifact: (id, bytes, { measured, ...options }) => {
      const onBytes = (written: number, total: number | undefined) => post({ t: 'bytes', id, written, total });
      return host.artifacts.put(bytes ?? pulled(id), measured ? { ...options, onBytes } : options);
    },
    getArtifact: (_, ref) => host.artifacts.get(ref),
  };

  async function* pulled(id: number): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = new Promise<Uint8Array | undefined>((resolve, reject) => pulls.set(id, { resolve, reject }));
      post({ t: 'pull', id });
      const bytes = await piece;
      if (bytes === undefined) return;
      yield bytes;
    }
  }

  function settlePull(id: number, settle: (pull: Pull) => void): void {
    const pull = pulls.get(id);
    pulls.delete(id);
    if (pull) settle(pull);
  }

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
    const receive = (message: ToHost) => {
      switch (message.t) {
        case 'ready':
          return undefined;
        case 'hello':
          return onHello(message);
        case 'call':
          return void answer(message.id, message.op, message.args);
        case 'piece':
          return settlePull(message.id, ({ resolve }) => resolve(message.bytes));
        case 'broken':
          return settlePull(message.id, ({ reject }) => reject(fromWireError(message.error)));
        case 'count':
          return host.count(message.counts);
        case 'log':
          return host.log(message.level, message.message, message.fields);
        case 'done':
          usage = message.usage;
          return resolve(message.result);
        case 'failed':
          usage = message.usage;
          return reject(fromWireError(message.error));
        case 'crashed':
          return reject(new ToolCrashed(`An error that nothing handled ended the tool: ${message.message}`));
      }
    };
    channel.onMessage((message) => {
      if (closed) return;
      try {
        receive(message);
      } catch (cause) {
        // Code beside the tool got hold of the channel. It can spoil its own call and nothing else.
        reject(new ToolCrashed('What came from the tool could not be understood.', { cause }));
      }
    });
  });
  result.catch(() => {});

  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });

  return {
    result,
    usage: () => usage,
    close() {
      closed = true;
      const gone = new ToolAborted('fenced', 'The tool that the bytes come from has ended.');
      for (const id of [...pulls.keys()]) settlePull(id, ({ reject }) => reject(gone));
      signal.removeEventListener('abort', abort);
      channel.close();
    },
  };
}
