import { Worker } from 'node:worker_threads';
import { runTask } from './run-task.ts';
import type { Channel, ToHost, ToTool } from './wire.ts';

const listeners: ((message: ToTool) => void)[] = [];

const channel: Channel<ToHost, ToTool> = {
  post: (message) => process.send?.(message),
  onMessage: (listener) => listeners.push(listener),
  close: () => {},
};

// The executor ends this process once it has the answer.
process.on('message', (message: ToTool) => {
  if (message.t === 'start') void runTask(channel, message.task, () => process.resourceUsage().maxRSS * 1024);
  else for (const listener of listeners) listener(message);
});

// Without its executor a tool has nobody to report to and no right to go on, even while it computes and hears nothing.
process.on('disconnect', () => process.exit(0));
new Worker(
  `const parent = process.ppid;
   setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`,
  { eval: true, execArgv: [] },
).unref();
