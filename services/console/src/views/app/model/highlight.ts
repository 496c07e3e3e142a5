import { common, createLowlight } from 'lowlight';
import { type Line, type Piece, plain, withoutLastEmpty } from './lines.ts';

/** Beyond this the text is shown plainly: highlighting runs on the page's own thread. */
const HIGHLIGHT_CHARS = 200_000;

const lowlight = createLowlight(common);

/** The text in lines, each in coloured pieces. Joined again they give the text, whatever the language. */
export function highlight(text: string, language: string | undefined): Line[] {
  if (language === undefined || text.length > HIGHLIGHT_CHARS || !lowlight.registered(language)) return plain(text);
  const lines: Piece[][] = [[]];
  collect(lowlight.highlight(language, text).children, undefined, lines);
  return withoutLastEmpty(lines);
}

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly properties?: { readonly className?: unknown };
  readonly children?: readonly Node[];
}

function collect(nodes: readonly unknown[], className: string | undefined, lines: Piece[][]): void {
  for (const node of nodes as readonly Node[]) {
    if (node.type === 'text') append(node.value ?? '', className, lines);
    else if (node.children) collect(node.children, nameOf(node) ?? className, lines);
  }
}

function append(text: string, className: string | undefined, lines: Piece[][]): void {
  for (const [at, part] of text.split('\n').entries()) {
    if (at > 0) lines.push([]);
    if (part !== '') lines.at(-1)!.push(className === undefined ? { text: part } : { text: part, className });
  }
}

/** `hljs-title function_` says what `title` alone does. */
function nameOf({ properties }: Node): string | undefined {
  const names = Array.isArray(properties?.className) ? (properties.className as string[]) : [];
  return names[0]?.replace(/^hljs-/, '');
}
