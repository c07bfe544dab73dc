import { build } from 'vite';
import { rendererConfig } from './renderer-config.ts';

/** Builds the interface into out/renderer. */
export async function buildRenderer(logLevel: 'info' | 'warn' = 'warn'): Promise<void> {
  await build({ ...rendererConfig(), configFile: false, logLevel });
}

if (import.meta.main) await buildRenderer('info');
