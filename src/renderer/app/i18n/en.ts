import { canvasEn } from './canvas.en.ts';
import shell from './en/shell.ts';
import commands from './en/commands.ts';
import segments from './en/segments.ts';
import guidance from './en/guidance.ts';
import generate from './en/generate.ts';
import history from './en/history.ts';
import scene from './en/scene.ts';
import settings from './en/settings.ts';

/** All interface texts in English, the language of reference. */
export const en = {
  ...canvasEn,
  ...shell,
  ...commands,
  ...segments,
  ...guidance,
  ...generate,
  ...history,
  ...scene,
  ...settings,
} as const;
