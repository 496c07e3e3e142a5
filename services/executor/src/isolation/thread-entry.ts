import { type MessagePort, threadId, workerData } from 'node:worker_threads';
import { runTask } from './run-task.ts';
import { capturePrints, endOnStrayErrors } from './task-scope.ts';
import { toolsOfModule } from './tool-modules.ts';
import { meterThread } from './usage-meter.ts';
import type { Channel, Task, ToHost, ToTool } from './wire.ts';

export interface ThreadTask {
  readonly port: MessagePort;
  readonly task: Task;
}

capturePrints();
endOnStrayErrors(() => process.exit(1));

// Modules are loaded when the thread starts, not when its first job waits. One that does not load fails its own calls.
const { modules } = workerData as { modules: string[] };
const loaded = Promise.allSettled(modules.map(toolsOfModule));

/** Called by the pool for every task. Its end goes through the task's own port, in order with everything before it. */
export default async function execute({ port, task }: ThreadTask): Promise<void> {
  await loaded;
  const channel: Channel<ToHost, ToTool> = {
    post: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', listener),
    close: () => port.close(),
  };
  const meter = meterThread();
  channel.post({ t: 'hello', threadId, cpuMs: meter.cpuMsAtStart });
  await runTask(channel, task, meter);
  port.close();
}
