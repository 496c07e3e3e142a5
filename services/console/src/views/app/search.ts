/** Which file of the app is shown: kept in the address, so that it can be shared and survives a reload. */
export interface AppSearch {
  readonly file?: string;
}

/** A file called `42` comes back from an address as a number. */
export function appSearch({ file }: Record<string, unknown>): AppSearch {
  return typeof file === 'string' || typeof file === 'number' ? { file: String(file) } : {};
}
