import { canvasEn } from './canvas.en.ts';

export const en = {
  ...canvasEn,
  'app.name': 'SpaText Studio',
} as const;
