import { createContext, ToolAborted } from '@toolstream/tool-kit';
import { RemoteHost } from './remote-host.ts';
import { toolsOfModule } from './tool-modules.ts';
import { type Channel, type Task, type ToHost, type ToTool, toWireError } from './wire.ts';

/** Runs one task at the tool's end of a channel. Resolves when its end has been sent, whatever it was. */
export async function runTask(
  channel: Channel<ToHost, ToTool>,
  task: Task,
  measurePeak: (heapPeakBytes: number) => number,
): Promise<void> {
  const host = new RemoteHost(channel);
  const controller = new AbortController();
  channel.onMessage((message) => {
    if (host.receive(message)) return;
    if (message.t === 'abort') controller.abort(new ToolAborted(message.kind, message.message));
  });
  try {
    const tool = (await toolsOfModule(task.module)).find((candidate) => candidate.name === task.tool);
    if (!tool) throw new Error(`module ${task.module} exports no tool named ${task.tool}`);
    const result = await tool.invoke(createContext(task.call, host, controller.signal), task.args);
    await host.settle();
    channel.post({ t: 'done', result, memoryPeakBytes: measurePeak(host.memoryPeakBytes) });
  } catch (error) {
    await host.settle();
    channel.post({ t: 'failed', error: toWireError(error), memoryPeakBytes: measurePeak(host.memoryPeakBytes) });
  }
}
