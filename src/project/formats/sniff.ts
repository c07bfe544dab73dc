import { StudioError } from '#shared/errors.ts';
import { isNpy } from './npy.ts';
import { isPng } from './png.ts';

export type FileKind = 'png' | 'jpg' | 'webp' | 'image' | 'psd' | 'zip' | 'svg' | 'json' | 'npy';

/** What a file is by its first bytes; names lie. @throws StudioError bad-input */
export function sniff(bytes: Uint8Array, name: string): FileKind {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 1024));
  const latin = start.toString('latin1');
  if (isPng(bytes)) return 'png';
  if (start[0] === 0xff && start[1] === 0xd8) return 'jpg';
  if (latin.startsWith('RIFF') && latin.slice(8, 12) === 'WEBP') return 'webp';
  if (latin.startsWith('8BPS')) return 'psd';
  if (latin.startsWith('PK')) return 'zip';
  if (isNpy(bytes)) return 'npy';
  if (/^(GIF8|II\*\0|MM\0\*)/.test(latin) || /^ftyp(avif|heic|mif1)/.test(latin.slice(4, 12))) return 'image';
  const text = latin
    .replace(/^(\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)/, '')
    .replaceAll('\0', '')
    .trimStart();
  if (text.startsWith('<')) return 'svg';
  if (text.startsWith('{') || text.startsWith('[')) return 'json';
  if (bytes.length === 0)
    throw new StudioError('bad-input', `${name} is empty`, { remedy: 'choose another file, or a backup of this one' });
  throw new StudioError('bad-input', `${name} is no file that the studio knows`, {
    kept: 'the file is unchanged',
    remedy: 'choose a scene, a project, a picture, a PSD, OpenRaster or SVG file, a label map or COCO annotations',
  });
}
