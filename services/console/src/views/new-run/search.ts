/** `from`: the run whose calls are to be changed and run again. `app`: where the run is to belong. `tool`: offered to be added. */
export interface NewRunSearch {
  readonly from?: string;
  readonly app?: string;
  readonly tool?: string;
}

/** An app or a tool called `42` comes back from an address as a number. */
export function newRunSearch({ from, app, tool }: Record<string, unknown>): NewRunSearch {
  return {
    ...(typeof from === 'string' ? { from } : {}),
    ...(isName(app) ? { app: String(app) } : {}),
    ...(isName(tool) ? { tool: String(tool) } : {}),
  };
}

const isName = (value: unknown): value is string | number => typeof value === 'string' || typeof value === 'number';
