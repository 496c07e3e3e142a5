import { blankOut, type Lexis } from './blank-out.ts';
import { type FileAnalysis, unique } from './file-analysis.ts';

type Found = Pick<FileAnalysis, 'imports' | 'components'>;

const matches = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap((match) => match.slice(1).find((group) => group !== undefined) ?? []);

const PYTHON: Lexis = { line: '#', strings: ['"""', "'''", '"', "'"] };

export function analysePython(source: string): Found {
  const code = blankOut(source, PYTHON, false);
  const imports: string[] = [];
  for (const match of code.matchAll(/^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import\b|import[ \t]+([\w., \t]+))/gm)) {
    if (match[1] !== undefined) imports.push(match[1]);
    else for (const part of (match[2] ?? '').split(',')) imports.push(part.trim().split(/\s+as\s+/)[0] ?? '');
  }
  return { imports: unique(imports.filter(Boolean)), components: unique(matches(code, /^class[ \t]+(\w+)/gm)) };
}

const RUBY: Lexis = { line: '#', strings: ['"', "'"] };

export function analyseRuby(source: string): Found {
  const withoutBlocks = source.replace(/^=begin\b[\s\S]*?^=end\b.*$/gm, (block) => block.replace(/[^\n]/g, ' '));
  const code = blankOut(withoutBlocks, RUBY, true);
  return {
    imports: unique(matches(code, /^[ \t]*(?:require|require_relative|load)[ \t(]+['"]([^'"\n]+)['"]/gm)),
    components: unique(matches(code, /^[ \t]*(?:class|module)[ \t]+([A-Z]\w*(?:::[A-Z]\w*)*)/gm)),
  };
}

const GO: Lexis = { line: '//', block: ['/*', '*/'], strings: ['"', '`'] };

export function analyseGo(source: string): Found {
  const code = blankOut(source, GO, true);
  const imports: string[] = [];
  for (const match of code.matchAll(/^import[ \t]*(?:\(([^)]*)\)|(?:[\w.]+[ \t]+)?"([^"\n]+)")/gm)) {
    if (match[2] !== undefined) imports.push(match[2]);
    else imports.push(...matches(match[1] ?? '', /"([^"\n]+)"/g));
  }
  return { imports: unique(imports), components: unique(matches(blankOut(source, GO, false), /^type[ \t]+(\w+)/gm)) };
}

const CSS: Lexis = { block: ['/*', '*/'], strings: ['"', "'"] };

export function analyseCss(source: string): Found {
  const code = blankOut(source, CSS, true);
  const pattern = /(?:^|[;}])\s*@(?:import|use|forward)\s+(?:url\(\s*)?(?:"([^"\n]+)"|'([^'\n]+)'|([^\s"')]+))/gm;
  return { imports: unique(matches(code, pattern)), components: [] };
}
