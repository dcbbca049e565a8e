import { DomUtils, parseDocument } from 'htmlparser2';
import { parseHTML } from 'linkedom';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { LIMITS } from '../../contracts/budgets.ts';

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

/** Deeper elements become text: Readability takes 1 s for 256 nested elements, 5 s for 400. Chromium nests 512. */
const MAX_DEPTH = LIMITS.pages.depth;

/** Elements that start a line of their own, which their text does not show. */
export const LINES: ReadonlySet<string> = new Set(
  'address article aside blockquote body br caption dd div dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol p plaintext pre section summary table tbody tfoot thead tr ul xmp'.split(
    ' ',
  ),
);
/** Elements whose text is not displayed. */
const NOT_SHOWN: ReadonlySet<string> = new Set(
  'audio canvas datalist head iframe math noembed noframes object script select style svg template textarea title video'.split(
    ' ',
  ),
);

/**
 * Returns the tree of a page as browsers build it (parse5 implements the HTML standard): it adds omitted tags and repairs wrong nesting. It
 * reads XHTML as XML first, where `<script/>` closes itself; unlike a browser, it continues after a fault. Returns undefined if XML
 * contains no `<html>`.
 */
export function pageTree(source: string, kind: 'html' | 'xml'): Element | undefined {
  const html = kind === 'xml' ? htmlOfXhtml(source) : source;
  if (html === undefined) return undefined;
  return parse(html, { scriptingEnabled: false }).childNodes.find((node) => node.nodeName === 'html') as Element;
}

/** Returns the same document in HTML syntax. */
function htmlOfXhtml(source: string): string | undefined {
  const document = parseDocument(source, { recognizeSelfClosing: true, recognizeCDATA: true });
  const root = document.children.find((node) => DomUtils.isTag(node) && node.name === 'html');
  if (root === undefined) return undefined;
  try {
    for (const data of DomUtils.find(
      (node) => node.type === 'cdata',
      document.children,
      true,
      Number.POSITIVE_INFINITY,
    )) {
      const text = DomUtils.hasChildren(data) ? data.children[0] : undefined;
      if (text) DomUtils.replaceElement(data, text);
    }
    return DomUtils.getOuterHTML(document.children);
  } catch (error) {
    // These functions recurse for each level, and the page determines the nesting.
    if (error instanceof RangeError) return source;
    throw error;
  }
}

/** Returns the tree as a DOM document for Readability, which changes the document but not the tree. */
export function documentOf(html: Element): ReturnType<typeof parseHTML>['document'] {
  const { document } = parseHTML('<!doctype html><html></html>');
  const root = document.documentElement;
  for (const { name, value } of html.attrs) root.setAttribute(name, value);
  const open: Array<[from: Node[], to: typeof root, depth: number]> = [[shownChildren(html), root, 1]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [from, to, depth] = next;
    for (const child of from) {
      if ('value' in child) to.append(document.createTextNode(child.value));
      if (!('tagName' in child)) continue;
      if (depth >= MAX_DEPTH) {
        to.append(document.createTextNode(textOf(child)));
        continue;
      }
      const element = document.createElement(child.tagName);
      for (const { name, value } of child.attrs) element.setAttribute(name, value);
      to.append(element);
      open.push([shownChildren(child), element, depth + 1]);
    }
  }
  return document;
}

/** Returns the text of an element as it is displayed, with line breaks where elements cause them. */
export function textOf(element: Element): string {
  const parts: string[] = [];
  const open: Array<Node | string> = [element];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') parts.push(next);
    else if ('value' in next) parts.push(next.value);
    else if ('tagName' in next && !isHidden(next)) {
      const around = LINES.has(next.tagName) ? '\n' : next.tagName === 'td' || next.tagName === 'th' ? ' ' : '';
      parts.push(around);
      open.push(around);
      for (const child of shownChildren(next).toReversed()) open.push(child);
    }
  }
  return parts.join('');
}

/** Returns how many elements a tree has. */
export function countElements(html: Element): number {
  let count = 0;
  const open: Node[] = [html];
  for (let next = open.pop(); next; next = open.pop()) {
    if (!('tagName' in next)) continue;
    count++;
    for (const child of next.childNodes) open.push(child);
  }
  return count;
}

export function firstElement(html: Element, name: string): Element | undefined {
  return html.childNodes.find((node) => node.nodeName === name) as Element | undefined;
}

/** Returns the displayed children. The content of a template is not displayed, unless it is its parent's shadow root. */
function shownChildren(element: Element): Node[] {
  return element.childNodes.flatMap((child) =>
    'content' in child
      ? child.attrs.some(({ name }) => name === 'shadowrootmode')
        ? child.content.childNodes
        : []
      : [child],
  );
}

function isHidden({ tagName, attrs }: Element): boolean {
  return NOT_SHOWN.has(tagName) || attrs.some(({ name }) => name === 'hidden');
}
