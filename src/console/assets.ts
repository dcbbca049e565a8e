import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { ConsoleContext } from './view.ts';

const require = createRequire(import.meta.url);
const OWN = fileURLToPath(new URL('./assets', import.meta.url));
const HTMX = join(dirname(require.resolve('htmx.org/package.json')), 'dist');
const UPLOT = join(dirname(require.resolve('uplot/package.json')), 'dist');

const CSS = 'text/css; charset=utf-8';
const JS = 'text/javascript; charset=utf-8';

/**
 * Files that pages load, by name, with the files that they consist of. Files of packages come from the packages, so that pages work
 * offline. htmx and its extension are one file: htmx starts with the page in a task of its own, which may run before another script.
 */
const FILES = {
  'console.css': { parts: [join(OWN, 'console.css')], type: CSS },
  'console.js': { parts: [join(OWN, 'console.js')], type: JS },
  'charts.js': { parts: [join(OWN, 'charts.js')], type: JS },
  'icon.svg': { parts: [join(OWN, 'icon.svg')], type: 'image/svg+xml' },
  'htmx.js': { parts: [join(HTMX, 'htmx.min.js'), join(HTMX, 'ext/hx-sse.min.js')], type: JS },
  'uplot.js': { parts: [join(UPLOT, 'uPlot.iife.min.js')], type: JS },
  'uplot.css': { parts: [join(UPLOT, 'uPlot.min.css')], type: CSS },
} as const;
export type AssetName = keyof typeof FILES;

const FOREVER = 'public, max-age=31536000, immutable';

interface Asset {
  type: string;
  digest: string;
  plain: Buffer<ArrayBuffer>;
  /** Compressed on the first request. */
  packed: Map<string, Promise<Buffer<ArrayBuffer>>>;
}

const PACK: Record<string, (plain: Buffer) => Promise<Buffer<ArrayBuffer>>> = {
  br: (plain) =>
    promisify(brotliCompress)(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }) as Promise<
      Buffer<ArrayBuffer>
    >,
  gzip: (plain) => promisify(gzip)(plain, { level: 9 }) as Promise<Buffer<ArrayBuffer>>,
};

/** The console's files, each under a URL that changes with its content, so that browsers may keep it forever. */
export class Assets {
  readonly #assets: ReadonlyMap<string, Asset>;

  constructor() {
    this.#assets = new Map(
      Object.entries(FILES).map(([name, { parts, type }]) => {
        const plain = Buffer.from(parts.map((part) => readFileSync(part, 'utf8')).join('\n'));
        return [name, { type, plain, digest: hash('sha256', plain).slice(0, 12), packed: new Map() }];
      }),
    );
  }

  /** Returns the link to a file, relative to the base of the console. */
  link(name: AssetName): string {
    return `assets/${this.#assets.get(name)!.digest}/${name}`;
  }

  /** Responds with a file. During an update, pages may request the file of another release; browsers must not keep that one. */
  async answer(c: ConsoleContext, digest: string, name: string): Promise<Response> {
    const asset = this.#assets.get(name);
    if (!asset) return c.text('There is no such file.', 404);
    const etag = `"${asset.digest}"`;
    c.header('ETag', etag);
    c.header('Vary', 'Accept-Encoding');
    c.header('Cache-Control', digest === asset.digest ? FOREVER : 'no-cache');
    if (c.req.header('if-none-match')?.includes(etag)) return c.body(null, 304);
    c.header('Content-Type', asset.type);
    const accepted = c.req.header('accept-encoding') ?? '';
    const encoding = Object.keys(PACK).find((one) =>
      new RegExp(`\\b${one}\\b(?!\\s*;\\s*q=0(\\.0*)?\\b)`).test(accepted),
    );
    if (encoding === undefined) return c.body(asset.plain);
    if (!asset.packed.has(encoding)) asset.packed.set(encoding, PACK[encoding]!(asset.plain));
    c.header('Content-Encoding', encoding);
    return c.body(await asset.packed.get(encoding)!);
  }
}
