import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  cacheDir: fileURLToPath(new URL('../../../node_modules/.vite-canvas-harness', import.meta.url)),
  plugins: [react()],
  server: { port: 4782, strictPort: true, host: '127.0.0.1', fs: { allow: ['../../..'] } },
  preview: { port: 4782, strictPort: true, host: '127.0.0.1' },
  build: {
    outDir: fileURLToPath(new URL('../../../out/canvas-harness', import.meta.url)),
    emptyOutDir: true,
    target: 'esnext',
  },
});
