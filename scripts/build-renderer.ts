import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'vite';
import { OUT, rendererConfig } from './renderer-config.ts';

/**
 * Builds the interface into out/renderer: beside it first, then put in its place, so that a studio that is running
 * meanwhile never serves half an interface, and a build that fails leaves the last good one.
 */
export async function buildRenderer(logLevel: 'info' | 'warn' = 'warn'): Promise<void> {
  const fresh = path.join(OUT, `.renderer-${process.pid}`);
  const target = path.join(OUT, 'renderer');
  const old = `${fresh}-old`;
  // Tests set NODE_ENV to "test", from which Vite would conclude that React's slow development build is wanted.
  const environment = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    const config = rendererConfig();
    await mkdir(fresh, { recursive: true });
    await build({ ...config, build: { ...config.build, outDir: fresh }, configFile: false, logLevel });
    await rename(target, old).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rename(fresh, target);
  } finally {
    if (environment === undefined) delete process.env['NODE_ENV'];
    else process.env['NODE_ENV'] = environment;
    for (const folder of [fresh, old]) await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) await buildRenderer('info');
