import { type ChildProcess, fork } from 'node:child_process';
import { serveTool, taskOf } from './remote-execution.ts';
import { type Execution, type Invocation, ToolCrashed, type ToolRunner, ToolTerminated } from './runner.ts';
import { childExecArgv, siblingModule } from './source-mode.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

/** A process of its own for every call: for tools that may take the whole process down with them. */
export class ProcessRunner implements ToolRunner {
  readonly #children = new Set<ChildProcess>();

  start(invocation: Invocation): Execution {
    const child = fork(siblingModule('./process-entry'), {
      execArgv: childExecArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#children.add(child);
    let terminated = false;
    const channel: Channel<ToTool, ToHost> = {
      // A child that is gone cannot be told anything; its exit ends the execution.
      post: (message) => void (child.connected && child.send(message, () => {})),
      onMessage: (listener) => child.on('message', (message) => listener(message as ToHost)),
      close: () => {},
    };
    const answer = serveTool(channel, invocation);
    const exited = new Promise<never>((_, reject) => {
      child.once('error', (cause) =>
        reject(new ToolCrashed('The process of the tool could not be started.', { cause })),
      );
      child.once('exit', (code, signal) => {
        this.#children.delete(child);
        if (terminated) reject(new ToolTerminated('The process of the tool was ended.'));
        else reject(new ToolCrashed(`The process of the tool ended without an answer (${signal ?? `code ${code}`}).`));
      });
    });
    exited.catch(() => {});
    channel.post({ t: 'start', task: taskOf(invocation) });
    return {
      result: Promise.race([answer.result, exited]).finally(() => {
        answer.close();
        child.kill('SIGKILL');
      }),
      terminate() {
        terminated = true;
        child.kill('SIGKILL');
      },
      memoryPeakBytes: answer.memoryPeakBytes,
    };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
