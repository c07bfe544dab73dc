import path from 'node:path';
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { UserConfig } from 'vite';
import { NONCE_PLACEHOLDER } from '#host/content-policy.ts';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Where everything is built; tests build into a folder of their own. */
export const OUT = path.resolve(ROOT, process.env['SPATEXT_OUT'] ?? 'out');

/** How the interface is built; the same for the browser (scripts/build-renderer.ts) and Electron. */
export const rendererConfig = (): UserConfig => ({
  root: path.join(ROOT, 'src/renderer'),
  // All addresses are relative: the page lies at http://127.0.0.1:PORT/ or spatext://app/.
  base: './',
  plugins: [react()],
  html: { cspNonce: NONCE_PLACEHOLDER },
  build: {
    outDir: path.join(OUT, 'renderer'),
    emptyOutDir: true,
    target: 'es2022',
    minify: true,
    // Inlined as data: addresses they would be no smaller, and the page's policy stays tight.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: false,
  },
});
