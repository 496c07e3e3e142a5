import { Worker } from 'node:worker_threads';
import { runTask } from './run-task.ts';
import { capturePrints, endOnStrayErrors } from './task-scope.ts';
import { toolsOfModule } from './tool-modules.ts';
import { meterProcess } from './usage-meter.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

const send = process.send?.bind(process) as (message: ToHost, done?: () => void) => void;
// A package that finds `process.send` believes that its parent speaks its language.
(process as { send?: unknown }).send = undefined;

// Without its executor a tool has nobody to report to and no right to go on, even while it computes and hears nothing.
process.on('disconnect', () => process.exit(0));
new Worker(
  `const parent = process.ppid;
   setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`,
  { eval: true, execArgv: [] },
).unref();

capturePrints();
// The last word leaves before the process does.
endOnStrayErrors(() => setTimeout(() => process.exit(1), 20));

/** Of the call at hand: a process serves one after the other. */
let listeners: ((message: ToTool) => void)[] = [];

process.on('message', (message: ToTool) => {
  if (message.t === 'start') {
    listeners = [];
    const channel: Channel<ToHost, ToTool> = {
      post: (answer) => send(answer),
      onMessage: (listener) => listeners.push(listener),
      close: () => {},
    };
    const meter = meterProcess();
    channel.post({ t: 'hello', threadId: 0, cpuMs: meter.cpuMsAtStart });
    void runTask(channel, message.task, meter);
  } else {
    for (const listener of listeners) listener(message);
  }
});

const modules = JSON.parse(process.env.TOOLSTREAM_TOOL_MODULES ?? '[]') as string[];
// One that does not load fails its own calls.
await Promise.allSettled(modules.map(toolsOfModule));
send({ t: 'ready' });
