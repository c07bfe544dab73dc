import path from 'node:path';
import { defineConfig } from 'electron-vite';
import { OUT, ROOT, rendererConfig } from './scripts/renderer-config.ts';

// `npm run build`: out/main (ES modules: the main process and the processes it starts), out/preload (CommonJS, since a
// sandboxed preload script can be nothing else) and out/renderer (the same files that the loopback server serves).
export default defineConfig({
  main: {
    build: {
      outDir: path.join(OUT, 'main'),
      rolldownOptions: {
        input: {
          index: path.join(ROOT, 'src/main/index.ts'),
          'library-worker': path.join(ROOT, 'src/library/worker.ts'),
          'engine-process': path.join(ROOT, 'src/engine/jobs/engine-process.ts'),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
      sourcemap: true,
      minify: false,
    },
  },
  preload: {
    build: {
      outDir: path.join(OUT, 'preload'),
      // A sandboxed script cannot load packages: everything is bundled.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: path.join(ROOT, 'src/preload/index.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
      minify: true,
    },
  },
  renderer: rendererConfig(),
});
