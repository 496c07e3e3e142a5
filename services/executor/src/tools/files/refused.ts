import { ToolFailure } from '@toolstream/tool-kit';

export const refused = (code: string, message: string): ToolFailure => new ToolFailure({ code, message });

export const fileNotFound = (path: string): ToolFailure =>
  refused('file_not_found', `${path} does not exist; os-list shows which files do.`);

/** Runs what reads a model's pattern: its complaint is about the arguments. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw refused('invalid_arguments', `${what}: ${(error as Error).message}`);
  }
}
