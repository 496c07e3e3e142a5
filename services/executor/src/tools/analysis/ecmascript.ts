import { type ParserOptions, parseSync } from 'oxc-parser';
import { type FileAnalysis, lineAt, unique } from './file-analysis.ts';

type Language = NonNullable<ParserOptions['lang']>;

/** Larger sources are scanned for imports, but their tree is not searched for components. */
const TREE_LIMIT_CHARS = 1_000_000;
const MAX_PROBLEMS = 10;

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Parses with a real parser: imports, components and syntax errors are facts, not guesses. */
export function analyseEcmaScript(path: string, source: string, language: Language): Omit<FileAnalysis, 'language'> {
  const parsed = parseSync(path, source, { lang: language, sourceType: 'module' });
  const program = source.length <= TREE_LIMIT_CHARS ? (parsed.program as unknown as Node) : undefined;
  const imports: { at: number; name: string }[] = [];
  for (const { start, moduleRequest } of parsed.module.staticImports)
    imports.push({ at: start, name: moduleRequest.value });
  for (const { start, entries } of parsed.module.staticExports) {
    for (const { moduleRequest } of entries) if (moduleRequest) imports.push({ at: start, name: moduleRequest.value });
  }
  for (const { start, moduleRequest } of parsed.module.dynamicImports) {
    const literal = /^\s*(['"`])([^'"`$]+)\1\s*$/.exec(source.slice(moduleRequest.start, moduleRequest.end));
    if (literal?.[2]) imports.push({ at: start, name: literal[2] });
  }
  if (program) imports.push(...requires(program));
  imports.sort((a, b) => a.at - b.at);
  return {
    imports: unique(imports.map(({ name }) => name)),
    components: program ? unique(componentsOf(program)) : [],
    problems: parsed.errors
      .filter((error) => error.severity === 'Error')
      .slice(0, MAX_PROBLEMS)
      .map(({ message, labels }) => (labels[0] ? `line ${lineAt(source, labels[0].start)}: ${message}` : message)),
  };
}

/** `const x = require('y')`, wherever it stands. */
function requires(program: Node): { at: number; name: string }[] {
  const found: { at: number; name: string }[] = [];
  visit(program, (node) => {
    if (node.type !== 'CallExpression') return true;
    const callee = node.callee as Node;
    const [argument] = node.arguments as Node[];
    if (callee.type === 'Identifier' && callee.name === 'require' && typeof argument?.value === 'string') {
      found.push({ at: node.start as number, name: argument.value });
    }
    return true;
  });
  return found;
}

/** Top-level functions, classes and constants with a component's name that make elements or extend a component. */
function* componentsOf(program: Node): Generator<string> {
  for (const statement of program.body as Node[]) {
    const declared = (statement.declaration as Node | null | undefined) ?? statement;
    switch (declared.type) {
      case 'FunctionDeclaration':
      case 'ClassDeclaration': {
        const name = (declared.id as Node | null)?.name;
        if (isComponentName(name) && makesElements(declared)) yield name;
        break;
      }
      case 'VariableDeclaration':
        for (const { id, init } of declared.declarations as { id: Node; init: Node | null }[]) {
          if (isComponentName(id.name) && init && makesElements(init)) yield id.name;
        }
        break;
      default:
        break;
    }
  }
}

const isComponentName = (name: unknown): name is string => typeof name === 'string' && /^[A-Z][A-Za-z0-9]*$/.test(name);

/** Calls that make a component of what they are given. */
const MAKERS = new Set(['memo', 'forwardRef', 'lazy', 'createElement', 'h', 'defineComponent', 'observer', 'styled']);

function makesElements(root: Node): boolean {
  let found = false;
  visit(root, (node) => {
    if (node.type === 'JSXElement' || node.type === 'JSXFragment') found = true;
    if (node.type === 'ClassDeclaration' && /^(Pure)?Component$/.test(lastName(node.superClass))) found = true;
    if (node.type === 'CallExpression' && MAKERS.has(lastName(node.callee))) found = true;
    if (node.type === 'TaggedTemplateExpression' && /^styled\b/.test(firstName(node.tag))) found = true;
    return !found;
  });
  return found;
}

/** `memo` of `memo(…)` and of `React.memo(…)`. */
function lastName(value: unknown): string {
  const node = value as Node | null | undefined;
  if (node?.type === 'Identifier') return String(node.name);
  return node?.type === 'MemberExpression' ? lastName(node.property) : '';
}

/** `styled` of `styled.div` and of `styled(Button)`. */
function firstName(value: unknown): string {
  const node = value as Node | null | undefined;
  if (node?.type === 'Identifier') return String(node.name);
  if (node?.type === 'MemberExpression') return firstName(node.object);
  return node?.type === 'CallExpression' ? firstName(node.callee) : '';
}

/** Depth first; `enter` returns false to end the walk. Iterative: generated code nests deeper than a stack does. */
function visit(root: Node, enter: (node: Node) => boolean): void {
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) stack.push(value[i]);
    } else if (typeof value === 'object' && value !== null) {
      if (typeof (value as Node).type === 'string' && !enter(value as Node)) return;
      for (const child of Object.values(value).reverse()) if (typeof child === 'object') stack.push(child);
    }
  }
}
