import { canvasDe } from './canvas.de.ts';
import type { en } from './en.ts';

export const de: Record<keyof typeof en, string> = {
  ...canvasDe,
  'app.name': 'SpaText Studio',
};
