import { analyseCss, analyseGo, analysePython, analyseRuby } from './by-line.ts';
import { analyseEcmaScript } from './ecmascript.ts';
import type { FileAnalysis } from './file-analysis.ts';

const nothing = (language: string): FileAnalysis => ({ language, imports: [], components: [], problems: [] });

/** Judges by the file's name, as editors do. Never throws: a file that is not understood has nothing detected in it. */
export function analyseFile(path: string, text: string): FileAnalysis {
  const extension = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  switch (extension) {
    case 'js':
    case 'mjs':
    case 'cjs':
    case 'jsx':
      // Plain .js files hold JSX as often as not.
      return { language: 'javascript', ...analyseEcmaScript(path, text, 'jsx') };
    case 'ts':
    case 'mts':
    case 'cts':
      return { language: 'typescript', ...analyseEcmaScript(path, text, 'ts') };
    case 'tsx':
      return { language: 'typescript', ...analyseEcmaScript(path, text, 'tsx') };
    case 'vue':
    case 'svelte':
      return analyseSingleFileComponent(extension, path, text);
    case 'css':
    case 'scss':
    case 'less':
      return { ...nothing('css'), ...analyseCss(text) };
    case 'py':
    case 'pyi':
      return { ...nothing('python'), ...analysePython(text) };
    case 'rb':
      return { ...nothing('ruby'), ...analyseRuby(text) };
    case 'go':
      return { ...nothing('go'), ...analyseGo(text) };
    case 'json':
      return { ...nothing('json'), problems: jsonProblems(text) };
    default:
      return nothing(extension === '' ? 'text' : extension);
  }
}

/** The file is one component, named like it; imports are those of its script blocks. */
function analyseSingleFileComponent(language: string, path: string, text: string): FileAnalysis {
  const name = /([^/]+)\.[^.]+$/.exec(path)?.[1] ?? path;
  const imports = new Set<string>();
  const problems: string[] = [];
  for (const block of text.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script\s*>/gi)) {
    const [, attributes = '', source = ''] = block;
    const dialect = /\blang\s*=\s*["']?tsx?/i.test(attributes) ? 'ts' : 'jsx';
    const blankLines = text.slice(0, (block.index ?? 0) + block[0].indexOf(source)).replace(/[^\n]/g, '');
    const found = analyseEcmaScript(path, blankLines + source, dialect);
    for (const module of found.imports) imports.add(module);
    problems.push(...found.problems);
  }
  return { language, imports: [...imports], components: [name], problems };
}

function jsonProblems(text: string): string[] {
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
