import { Readability } from '@mozilla/readability';
import { parseHTML } from 'linkedom';
import TurndownService from 'turndown';

export interface Page {
  readonly title?: string;
  readonly byline?: string;
  readonly published?: string;
  readonly markdown: string;
  /** Was the article found, or is this all the page says? */
  readonly article: boolean;
}

const MAX_ELEMENTS = 50_000;
/** Real pages stay far below. Beyond, time grows with its square, and stacks end. */
const MAX_DEPTH = 512;
/** They close themselves, or each other. */
const FLAT =
  /^(area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|dt|dd|tr|td|th|thead|tbody|tfoot|option|optgroup)$/;
const SHAPE = /^(path|rect|circle|ellipse|line|polygon|polyline|use|stop|image|g|animate)$/i;

/** The part of a page that one would read, as Markdown with absolute links; the whole body where no article is found. */
export function readable(html: string, url: string): Page {
  if (depthOf(html) > MAX_DEPTH) throw new RangeError('the page is nested too deeply');
  const { document } = parseHTML(/<html[\s>]/i.test(html) ? html : `<html><head></head><body>${html}</body></html>`);
  const title = document.querySelector('title')?.textContent?.trim();
  for (const [selector, attribute] of [
    ['a[href]', 'href'],
    ['img[src]', 'src'],
  ] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const absolute = absoluteUrl(element.getAttribute(attribute) ?? '', url);
      if (absolute === undefined) element.removeAttribute(attribute);
      else element.setAttribute(attribute, absolute);
    }
  }
  const body = document.body?.cloneNode(true) as typeof document.body | undefined;
  const article = found(document);
  const service = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-' });
  service.remove(['script', 'style', 'noscript', 'iframe', 'template'] as never);
  const markdown = service
    .turndown(article?.content ?? body?.innerHTML ?? document.documentElement?.innerHTML ?? '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
  const name = article?.title?.trim() || title;
  return {
    markdown,
    article: article !== undefined,
    ...(name ? { title: name } : {}),
    ...(article?.byline ? { byline: article.byline } : {}),
    ...(article?.publishedTime ? { published: article.publishedTime } : {}),
  };
}

/** Undefined where there is no article, or the page is too large to look for one. */
function found(document: object) {
  try {
    const article = new Readability(document as ConstructorParameters<typeof Readability>[0], {
      maxElemsToParse: MAX_ELEMENTS,
    }).parse();
    return article?.content ? article : undefined;
  } catch {
    return undefined;
  }
}

/** How deeply elements are nested at most, as far as tags tell. */
function depthOf(html: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [tag, close, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)[^<>]*>?/gi)) {
    // A slash at the end closes shapes of a drawing; HTML's own elements it does not.
    if (FLAT.test(name.toLowerCase()) || (tag.endsWith('/>') && SHAPE.test(name))) continue;
    depth = close === '' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

function absoluteUrl(href: string, base: string): string | undefined {
  if (!URL.canParse(href, base)) return undefined;
  const url = new URL(href, base);
  return /^(https?|mailto):$/.test(url.protocol) ? url.href : undefined;
}
