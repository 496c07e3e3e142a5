import { createContext } from '@toolstream/tool-kit';
import { type Execution, type Invocation, type ToolRunner, ToolTerminated } from './runner.ts';

/**
 * Runs a tool on the executor's own event loop: nothing is quicker, and nothing protects the executor from a tool that
 * computes. Terminating one means to stop listening to it: its context is dead by then, so it can do no more harm than
 * to hold memory.
 */
export const inlineRunner: ToolRunner = {
  start({ tool, args, call, host, signal }: Invocation): Execution {
    let terminate = () => {};
    const terminated = new Promise<never>((_, reject) => {
      terminate = () => reject(new ToolTerminated('The tool did not stop and was abandoned.'));
    });
    return {
      result: Promise.race([tool.tool.invoke(createContext(call, host, signal), args), terminated]),
      terminate: () => terminate(),
      usage: () => ({}),
    };
  },
  async close() {},
};
