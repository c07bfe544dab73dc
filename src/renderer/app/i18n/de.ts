import { canvasDe } from './canvas.de.ts';
import shell from './de/shell.ts';
import commands from './de/commands.ts';
import segments from './de/segments.ts';
import guidance from './de/guidance.ts';
import generate from './de/generate.ts';
import history from './de/history.ts';
import scene from './de/scene.ts';
import settings from './de/settings.ts';
import type { en } from './en.ts';

export const de: Record<keyof typeof en, string> = {
  ...canvasDe,
  ...shell,
  ...commands,
  ...segments,
  ...guidance,
  ...generate,
  ...history,
  ...scene,
  ...settings,
};
