import { randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { BlobHash } from '#shared/document/geometry.ts';
import { StudioError } from '#shared/errors.ts';
import { NONCE_PLACEHOLDER, RESOURCE_POLICY, SCRIPT_POLICY, SECURITY_HEADERS, pagePolicy } from './content-policy.ts';
import { sniffImage } from './image-size.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.map': 'application/json',
  '.onnx': 'application/octet-stream',
};
/** Enough for every header that image-size reads, metadata before a JPEG's frame header included. */
const SNIFF_BYTES = 256 * 1024;
const FOR_EVER = 'private, max-age=31536000, immutable';

/** What a window gets for an address: headers, and a file to send or the bytes themselves. */
export interface Asset {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly file: string; readonly size: number } | Uint8Array | null;
}

export interface AssetOptions {
  /** The built interface. */
  readonly rendererFolder: string;
  readonly blobs: BlobStore;
  /** Further places that the page may connect to. */
  readonly connect?: readonly string[];
}

/**
 * The asset of a request path, the same in every shell: `/` the page, `/blob/HASH` a blob (`?download=NAME` to save
 * it), anything else a file of the built interface.
 * @throws StudioError not-found; refused (a way out of the folder); storage
 */
export async function assetAt(url: URL, options: AssetOptions, ifNoneMatch?: string): Promise<Asset> {
  if (url.pathname === '/' || url.pathname === '/index.html') return page(options);
  if (url.pathname.startsWith('/blob/'))
    return blob(options.blobs, url.pathname.slice('/blob/'.length), url.searchParams.get('download'), ifNoneMatch);
  const file = await resolveBelow(options.rendererFolder, url.pathname);
  const { size } = await stat(file);
  const type = TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
  return {
    status: 200,
    headers: {
      ...SECURITY_HEADERS,
      'Content-Security-Policy': type.startsWith('text/javascript') ? SCRIPT_POLICY : RESOURCE_POLICY,
      'Content-Type': type,
      // Names below assets/ hold their hash.
      'Cache-Control': url.pathname.startsWith('/assets/') ? FOR_EVER : 'no-cache',
    },
    body: { file, size },
  };
}

/** The page, with a fresh nonce. */
async function page({ rendererFolder, connect }: AssetOptions): Promise<Asset> {
  const html = await readFile(path.join(rendererFolder, 'index.html'), 'utf8').catch((error: unknown) => {
    throw StudioError.from(error, 'the interface was not built (npm run build:web)');
  });
  const nonce = randomBytes(16).toString('base64');
  return {
    status: 200,
    headers: {
      ...SECURITY_HEADERS,
      'Content-Security-Policy': pagePolicy(nonce, connect),
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
    },
    body: new TextEncoder().encode(html.replaceAll(NONCE_PLACEHOLDER, nonce)),
  };
}

/** Pictures are shown; anything else is only ever saved, so that no exported SVG runs as a page of ours. */
async function blob(blobs: BlobStore, hash: string, download: string | null, ifNoneMatch?: string): Promise<Asset> {
  if (!BlobHash.safeParse(hash).success || !blobs.has(hash))
    throw new StudioError('not-found', `there is no blob ${hash.slice(0, 12)}`);
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Security-Policy': RESOURCE_POLICY,
    'Cache-Control': FOR_EVER,
    ETag: `"${hash}"`,
  };
  if (ifNoneMatch === `"${hash}"`) return { status: 304, headers, body: null };
  const { type, size } = await headOf(blobs.pathOf(hash));
  const name = download ?? (type === null ? hash.slice(0, 16) : null);
  return {
    status: 200,
    headers: {
      ...headers,
      'Content-Type': type ?? 'application/octet-stream',
      ...(name === null ? {} : { 'Content-Disposition': contentDisposition(name) }),
    },
    body: { file: blobs.pathOf(hash), size },
  };
}

async function headOf(file: string): Promise<{ type: string | null; size: number }> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(size, SNIFF_BYTES));
    await handle.read(head, 0, head.length, 0);
    return { type: sniffImage(head)?.type ?? null, size };
  } finally {
    await handle.close();
  }
}

/**
 * The file below `folder` that a request path names.
 * @throws StudioError refused (a way out of the folder), not-found
 */
export async function resolveBelow(folder: string, requestPath: string): Promise<string> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(requestPath);
  } catch {
    throw new StudioError('refused', 'a path that is not UTF-8');
  }
  const parts = decoded.split('/').filter((part) => part !== '');
  // Backslashes and colons mean something to Windows; dots climb.
  const good = parts.every((part) => part !== '..' && part !== '.' && !/[\\\0:]/.test(part));
  const file = path.resolve(folder, ...parts);
  if (!good || !file.startsWith(path.resolve(folder) + path.sep))
    throw new StudioError('refused', `a path out of the folder: ${JSON.stringify(decoded.slice(0, 100))}`);
  const about = await stat(file).catch(() => undefined);
  if (!about?.isFile()) throw new StudioError('not-found', `there is no ${decoded.slice(0, 100)}`);
  return file;
}

/** RFC 6266: a plain name for all, the exact one in UTF-8. */
export function contentDisposition(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const clean = name.replaceAll(/[\u0000-\u001f\u007f/\\:*?"<>|]+/g, '_').slice(0, 200) || 'file';
  const ascii = clean.replaceAll(/[^\u0020-\u007e]/g, '_').replaceAll('%', '_');
  const exact = encodeURIComponent(clean.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${exact}`;
}
