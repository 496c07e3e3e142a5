import { isTool, type Tool } from '@toolstream/tool-kit';

/** The tools that a module exports: as `tools` or `default`, one or a list. */
export async function toolsOfModule(url: string): Promise<Tool[]> {
  const module = (await import(url)) as { tools?: unknown; default?: unknown };
  const exported = [module.tools, module.default].flat(2);
  return exported.filter(isTool);
}
