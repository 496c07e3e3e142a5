import { createContext, ToolAborted } from '@toolstream/tool-kit';
import { RemoteHost } from './remote-host.ts';
import { inScopeOf } from './task-scope.ts';
import { toolsOfModule } from './tool-modules.ts';
import type { UsageMeter } from './usage-meter.ts';
import { type Channel, type Task, type ToHost, type ToTool, toWireError } from './wire.ts';

/** Runs one task at the tool's end of a channel. Resolves when its end has been sent, whatever it was. */
export async function runTask(channel: Channel<ToHost, ToTool>, task: Task, meter: UsageMeter): Promise<void> {
  const host = new RemoteHost(channel, meter);
  const controller = new AbortController();
  channel.onMessage((message) => {
    if (host.receive(message)) return;
    // In the call's scope: what its abort listeners do is the call's.
    if (message.t === 'abort') {
      inScopeOf(host, () => controller.abort(new ToolAborted(message.kind, message.message)));
    }
  });
  try {
    const tool = (await toolsOfModule(task.module)).find((candidate) => candidate.name === task.tool);
    if (!tool) throw new Error(`module ${task.module} exports no tool named ${task.tool}`);
    const context = createContext(task.call, host, controller.signal);
    const result = await inScopeOf(host, () => tool.invoke(context, task.args));
    await host.settle();
    host.end({ t: 'done', result, usage: meter.usage() });
  } catch (error) {
    await host.settle();
    host.end({ t: 'failed', error: toWireError(error), usage: meter.usage() });
  }
}
