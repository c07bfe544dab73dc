import type { ExportFormat } from '#shared/api/calls.ts';
import type { TextKey } from '../../app/i18n/texts.ts';

export interface FormatInfo {
  readonly format: ExportFormat;
  readonly name: string;
  readonly words: TextKey;
  /** Needs a result; the others are made of the scene alone. */
  readonly needsResult: boolean;
  readonly quality: boolean;
}

export const FORMATS: readonly FormatInfo[] = [
  { format: 'png', name: 'PNG', words: 'export.png', needsResult: true, quality: false },
  { format: 'jpg', name: 'JPEG', words: 'export.jpg', needsResult: true, quality: true },
  { format: 'webp', name: 'WebP', words: 'export.webp', needsResult: true, quality: true },
  { format: 'spatext', name: 'SpaText', words: 'export.spatext', needsResult: false, quality: false },
  { format: 'psd', name: 'Photoshop', words: 'export.psd', needsResult: false, quality: false },
  { format: 'ora', name: 'OpenRaster', words: 'export.ora', needsResult: false, quality: false },
  { format: 'svg', name: 'SVG', words: 'export.svg', needsResult: false, quality: false },
  { format: 'json', name: 'JSON', words: 'export.json', needsResult: false, quality: false },
  { format: 'npy', name: 'NumPy', words: 'export.npy', needsResult: false, quality: false },
  { format: 'sheet', name: 'Sheet', words: 'export.sheet', needsResult: true, quality: false },
];
