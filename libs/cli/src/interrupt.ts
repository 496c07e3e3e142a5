/** Aborted by the first Ctrl-C or request to end; a second one ends the process as ever. */
export function interruptSignal(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const release = () => {
    for (const name of names) process.off(name, heard);
  };
  const heard = () => {
    controller.abort();
    release();
  };
  for (const name of names) process.on(name, heard);
  return { signal: controller.signal, release };
}
