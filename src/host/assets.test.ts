import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import type { BlobStore } from '#engine/blobs/blob-store.ts';
import { assetAt, contentDisposition, resolveBelow } from './assets.ts';
import { PNG } from './studio.testkit.ts';

let folder: string;
let renderer: string;
let blobs: BlobStore;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-assets-'));
  renderer = path.join(folder, 'renderer');
  blobs = openBlobStore(path.join(folder, 'blobs'));
  mkdirSync(path.join(renderer, 'assets'), { recursive: true });
  writeFileSync(
    path.join(renderer, 'index.html'),
    '<script nonce="SPATEXT_NONCE"></script><style nonce="SPATEXT_NONCE">',
  );
  writeFileSync(path.join(renderer, 'assets', 'main-abc.js'), '1');
  writeFileSync(path.join(folder, 'secret.txt'), 'secret');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (address: string, ifNoneMatch?: string) =>
  assetAt(
    new URL(address, 'http://127.0.0.1:1/'),
    { rendererFolder: renderer, blobs, connect: ['ws://x'] },
    ifNoneMatch,
  );

describe('the page', () => {
  it('gets a fresh nonce each time, the same in its policy', async () => {
    const [one, two] = [await at('/'), await at('/index.html')];
    const html = new TextDecoder().decode(one.body as Uint8Array);
    const nonce = /nonce="([^"]+)"/.exec(html)?.[1] ?? '';
    expect(nonce.length).toBeGreaterThanOrEqual(22);
    expect(html).not.toContain('SPATEXT_NONCE');
    expect(one.headers['Content-Security-Policy']).toContain(`'nonce-${nonce}'`);
    expect(two.headers['Content-Security-Policy']).not.toBe(one.headers['Content-Security-Policy']);
    expect(one.headers['Cache-Control']).toBe('no-store');
  });

  it('has a policy without eval, inline scripts or other hosts', async () => {
    const policy = (await at('/')).headers['Content-Security-Policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval';/);
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).not.toContain("'unsafe-eval'");
    expect(policy).not.toMatch(/https?:/);
    expect(policy).toContain("frame-ancestors 'none'");
  });

  it('says so when it was not built', async () => {
    rmSync(path.join(renderer, 'index.html'));
    await expect(at('/')).rejects.toThrow(/was not built/);
  });
});

describe('files of the interface', () => {
  it('are served with type, length and rules for keeping', async () => {
    const asset = await at('/assets/main-abc.js');
    expect(asset.body).toEqual({ file: path.join(renderer, 'assets/main-abc.js'), size: 1 });
    expect(asset.headers).toMatchObject({ 'X-Content-Type-Options': 'nosniff' });
    expect(asset.headers['Content-Type']).toContain('text/javascript');
    // A worker's own policy: without this it cannot fetch the pixels of bitmaps, and they stay undrawn.
    expect(asset.headers['Content-Security-Policy']).toBe(
      "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
    );
    expect(asset.headers['Cache-Control']).toContain('immutable');
  });

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e%5c%2e%2e%5csecret.txt',
    '/..%00/secret.txt',
    '/C:%5Cwindows%5Cwin.ini',
    '/%ff',
    '//etc/passwd',
  ])('%s leads nowhere', async (address) => {
    // As a raw path, since URL resolves plain dots by itself.
    await expect(resolveBelow(renderer, address)).rejects.toMatchObject({
      code: expect.stringMatching(/refused|not-found/) as string,
    });
  });

  it('are files, not folders', async () => {
    await expect(at('/assets')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('may be behind a link that the build made', async () => {
    symlinkSync(path.join(renderer, 'assets', 'main-abc.js'), path.join(renderer, 'assets', 'link.js'));
    expect((await at('/assets/link.js')).status).toBe(200);
  });
});

describe('blobs', () => {
  it('show pictures, for ever', async () => {
    const hash = await blobs.write(PNG);
    const asset = await at(`/blob/${hash}`);
    expect(asset.headers).toMatchObject({ 'Content-Type': 'image/png', ETag: `"${hash}"` });
    expect(asset.headers['Content-Disposition']).toBeUndefined();
    expect((await at(`/blob/${hash}`, `"${hash}"`)).status).toBe(304);
  });

  it('only save what is no picture, whatever it claims to be', async () => {
    const hash = await blobs.write(
      new TextEncoder().encode('<svg onload="alert(1)" xmlns="http://www.w3.org/2000/svg"/>'),
    );
    const { headers } = await at(`/blob/${hash}`);
    expect(headers['Content-Type']).toBe('application/octet-stream');
    expect(headers['Content-Disposition']).toContain('attachment');
    expect(headers['Content-Security-Policy']).toContain('sandbox');
  });

  it('are saved under the name asked for', async () => {
    const hash = await blobs.write(PNG);
    const { headers } = await at(`/blob/${hash}?download=${encodeURIComponent('Bär "1"/../x\r\n.png')}`);
    expect(headers['Content-Disposition']).toBe(
      `attachment; filename="B_r _1_.._x_.png"; filename*=UTF-8''B%C3%A4r%20_1_.._x_.png`,
    );
  });

  it.each(['', 'x', '../secret.txt', 'A'.repeat(64), '0'.repeat(64), `${'0'.repeat(64)}/x`])(
    '%j is none',
    async (hash) => {
      await expect(at(`/blob/${hash}`)).rejects.toMatchObject({ code: 'not-found' });
    },
  );
});

describe('contentDisposition', () => {
  it('survives any name', () => {
    expect(contentDisposition('')).toContain('filename="file"');
    expect(contentDisposition('\ud800')).toContain("filename*=UTF-8''%EF%BF%BD");
    expect(contentDisposition('a'.repeat(1000)).length).toBeLessThan(500);
  });
});
