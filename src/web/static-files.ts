import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sniffImage } from '#host/image-size.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { BlobHash } from '#shared/document/geometry.ts';
import { StudioError } from '#shared/errors.ts';
import { NONCE_PLACEHOLDER, securityHeaders } from './security.ts';

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
  const good = parts.every((part) => part !== '..' && part !== '.' && !/[\\\0:]/.test(part));
  const file = path.resolve(folder, ...parts);
  if (!good || !file.startsWith(path.resolve(folder) + path.sep))
    throw new StudioError('refused', `a path out of the folder: ${JSON.stringify(decoded.slice(0, 100))}`);
  const about = await stat(file).catch(() => undefined);
  if (!about?.isFile()) throw new StudioError('not-found', `there is no ${decoded.slice(0, 100)}`);
  return file;
}

/** The page, with a fresh nonce. */
export async function sendPage(response: ServerResponse, folder: string, port: number): Promise<void> {
  const html = await readFile(path.join(folder, 'index.html'), 'utf8').catch((error: unknown) => {
    throw StudioError.from(error, 'the interface was not built (npm run build:web)');
  });
  const nonce = randomBytes(16).toString('base64');
  response.writeHead(200, {
    ...securityHeaders(nonce, port),
    'Content-Type': TYPES['.html'],
    'Cache-Control': 'no-store',
  });
  response.end(html.replaceAll(NONCE_PLACEHOLDER, nonce));
}

/** A built file; names below assets/ hold their hash and never change. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  folder: string,
  requestPath: string,
  port: number,
): Promise<void> {
  const file = await resolveBelow(folder, requestPath);
  const about = await stat(file);
  response.writeHead(200, {
    ...securityHeaders(null, port),
    'Content-Type': TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream',
    'Content-Length': about.size,
    'Cache-Control': requestPath.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(file), response);
}

/**
 * A blob. Pictures are shown; anything else is only ever saved, so that no exported SVG runs as a page of ours.
 * @param download the file name for saving it, or null to show it
 */
export async function sendBlob(
  request: IncomingMessage,
  response: ServerResponse,
  blobs: BlobStore,
  hash: string,
  download: string | null,
  port: number,
): Promise<void> {
  if (!BlobHash.safeParse(hash).success) throw new StudioError('not-found', 'that is no blob');
  if (!blobs.has(hash)) throw new StudioError('not-found', `there is no blob ${hash.slice(0, 12)}`);
  const headers = {
    ...securityHeaders(null, port),
    'Cache-Control': 'private, max-age=31536000, immutable',
    ETag: `"${hash}"`,
  };
  if (request.headers['if-none-match'] === `"${hash}"`) {
    response.writeHead(304, headers).end();
    return;
  }
  const { type, size } = await blobHead(blobs, hash);
  const name = download ?? (type === null ? hash.slice(0, 16) : null);
  response.writeHead(200, {
    ...headers,
    'Content-Type': type ?? 'application/octet-stream',
    'Content-Length': size,
    ...(name === null ? {} : { 'Content-Disposition': contentDisposition(name) }),
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(createReadStream(blobs.pathOf(hash)), response);
}

export async function blobHead(blobs: BlobStore, hash: string): Promise<{ type: string | null; size: number }> {
  const handle = await open(blobs.pathOf(hash), 'r');
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(Math.min(size, SNIFF_BYTES));
    await handle.read(head, 0, head.length, 0);
    return { type: sniffImage(head)?.type ?? null, size };
  } finally {
    await handle.close();
  }
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
