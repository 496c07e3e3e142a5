import { execFile } from 'node:child_process';

/** Runs a tool to its end. Output is returned on success and becomes the error's text on failure. */
export function runQuietly(
  command: string,
  args: string[],
  options: { cwd?: string; timeoutMs: number; env?: NodeJS.ProcessEnv; uid?: number; gid?: number },
): Promise<string> {
  const { timeoutMs, ...rest } = options;
  const settings = { ...rest, timeout: timeoutMs, maxBuffer: 8 << 20, encoding: 'utf8' as const };
  return new Promise((resolve, reject) => {
    execFile(command, args, settings, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const reason = error.killed ? `no end after ${timeoutMs} ms` : lastLines(stderr) || error.message;
      reject(new Error(`${command} ${args.at(-1) ?? ''}: ${reason}`, { cause: error }));
    });
  });
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ').trim();
}
