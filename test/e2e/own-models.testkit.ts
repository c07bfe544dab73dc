// An artist's folder of models for end-to-end tests: small ones, as they were recorded.
import { copyFile, cp, mkdir } from 'node:fs/promises';
import path from 'node:path';

/** The engine may have to start first. */
export const SOON = { timeout: 60_000 };
export const CHECKPOINTS = path.join(import.meta.dirname, '../fixtures/checkpoints');

/** Makes a folder with a checkpoint, mine.safetensors, and a LoRA for it, ink.safetensors. */
export async function layOutModels(folder: string): Promise<void> {
  await mkdir(folder);
  await copyFile(path.join(CHECKPOINTS, 'sd15-tiny.safetensors'), path.join(folder, 'mine.safetensors'));
  await cp(path.join(CHECKPOINTS, 'sd15-tiny.config'), path.join(folder, 'mine.config'), { recursive: true });
  await copyFile(path.join(CHECKPOINTS, 'lora-tiny-kohya.safetensors'), path.join(folder, 'ink.safetensors'));
}
