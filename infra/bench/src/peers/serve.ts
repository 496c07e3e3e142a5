export interface Question {
  readonly id: number;
  readonly method: string;
  readonly parameters: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Answers the parent's questions until it goes away, and goes with it. */
export function serve(methods: Readonly<Record<string, (parameters: never) => unknown>>): void {
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group: the parent decides when we end.
  process.on('SIGINT', () => {});
  process.on('message', async (question: Question) => {
    const { id, method, parameters } = question;
    try {
      const answer = methods[method];
      if (!answer) throw new Error(`no method ${method}`);
      reply({ id, result: await answer(parameters as never) });
    } catch (error) {
      reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
}

function reply(answer: Answer): void {
  if (process.connected) process.send?.(answer);
}
