/** `from`: the run whose calls are to be changed and run again. `app`: where the run is to belong. */
export interface NewRunSearch {
  readonly from?: string;
  readonly app?: string;
}

/** An app called `42` comes back from an address as a number. */
export function newRunSearch({ from, app }: Record<string, unknown>): NewRunSearch {
  return {
    ...(typeof from === 'string' ? { from } : {}),
    ...(typeof app === 'string' || typeof app === 'number' ? { app: String(app) } : {}),
  };
}
