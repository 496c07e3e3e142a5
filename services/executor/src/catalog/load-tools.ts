import { existsSync, readFileSync } from 'node:fs';
import { createRequire, findPackageJSON } from 'node:module';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Isolation } from '@toolstream/proto-events';
import type { LoadedTool } from '../isolation/runner.ts';
import { siblingModule } from '../isolation/source-mode.ts';
import { toolsOfModule } from '../isolation/tool-modules.ts';

export class ToolModuleError extends Error {
  readonly code = 'tool_module';
  override readonly name = 'ToolModuleError';
}

const bundled = (): string => siblingModule('../tools/index').href;

/** Package names are looked up from the working directory, as are relative paths: of a module, or of a package's folder. */
function urlOf(specifier: string, cwd: string): string {
  if (specifier.startsWith('file:')) return specifier;
  const path = resolve(cwd, specifier);
  if (specifier.startsWith('.') || isAbsolute(specifier) || existsSync(path)) return pathToFileURL(moduleAt(path)).href;
  const from = pathToFileURL(`${cwd}/`);
  try {
    return pathToFileURL(createRequire(from).resolve(specifier)).href;
  } catch (error) {
    // A package that is for `import` alone.
    const manifest = findPackageJSON(specifier, from);
    if (manifest === undefined) throw error;
    return pathToFileURL(moduleAt(dirname(manifest))).href;
  }
}

/** Of a folder, what its package.json says is its door. */
function moduleAt(path: string): string {
  const manifest = join(path, 'package.json');
  if (!existsSync(manifest)) return path;
  const { exports, main = 'index.js' } = JSON.parse(readFileSync(manifest, 'utf8')) as Manifest;
  return join(path, doorOf(exports) ?? main);
}

interface Manifest {
  readonly exports?: Exports;
  readonly main?: string;
}
type Exports = string | { readonly [key: string]: Exports } | null;

function doorOf(exports: Exports | undefined): string | undefined {
  if (typeof exports === 'string') return exports;
  if (!exports) return undefined;
  for (const key of ['.', 'import', 'node', 'default']) {
    const door = doorOf(exports[key]);
    if (door !== undefined) return door;
  }
  return undefined;
}

/**
 * The bundled tools, which run in threads unless they say otherwise, and those of `TOOLSTREAM_TOOLS`, in processes: code
 * of others may take its process down or fill its memory. A module that does not load, exports no tool or takes a name that
 * another has is an error at start: a call would only find out later.
 */
export async function loadTools(specifiers: string, cwd = process.cwd()): Promise<Map<string, LoadedTool>> {
  const wanted = specifiers.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  const modules: { specifier: string; url: string; defaultIsolation: Isolation }[] = [
    { specifier: 'the bundled tools', url: bundled(), defaultIsolation: 'thread' },
  ];
  const found = new Map<string, LoadedTool>();
  const problems: string[] = [];
  for (const specifier of wanted) {
    try {
      modules.push({ specifier, url: urlOf(specifier, cwd), defaultIsolation: 'process' });
    } catch (error) {
      problems.push(`${specifier}: ${(error as Error).message}`);
    }
  }
  for (const { specifier, url, defaultIsolation } of modules) {
    try {
      const tools = await toolsOfModule(url);
      if (tools.length === 0) problems.push(`${specifier}: exports no tools (as \`tools\` or \`default\`)`);
      for (const tool of tools) {
        const other = found.get(tool.name);
        if (other && other.tool !== tool) problems.push(`${specifier}: the name ${tool.name} is taken`);
        found.set(tool.name, { tool, module: url, defaultIsolation });
      }
    } catch (error) {
      problems.push(`${specifier}: ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new ToolModuleError(`TOOLSTREAM_TOOLS: ${problems.join('; ')}`);
  return found;
}
