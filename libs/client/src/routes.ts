import type { Api } from './api.ts';

const ROUTES: Readonly<Record<keyof Api, true>> = {
  submit: true,
  get: true,
  list: true,
  results: true,
  tools: true,
  modelTools: true,
  stats: true,
  delivery: true,
  files: true,
  file: true,
  fileVersions: true,
  runFiles: true,
  artifact: true,
  history: true,
  control: true,
  rerun: true,
  ticket: true,
  deadLetters: true,
  deadLetter: true,
  redrive: true,
};

/** The routes of the HTTP interface, before what answers them is loaded. */
export function routes(api: () => Promise<Api>): Api {
  const call =
    (name: keyof Api) =>
    async (...args: unknown[]): Promise<unknown> =>
      ((await api())[name] as (...args: unknown[]) => Promise<unknown>)(...args);
  return Object.fromEntries(Object.keys(ROUTES).map((name) => [name, call(name as keyof Api)])) as unknown as Api;
}
