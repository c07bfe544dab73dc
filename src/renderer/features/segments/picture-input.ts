import type { SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import { translate } from '../../app/i18n/texts.ts';
import type { Studio } from '../../app/studio.ts';

/** Pictures in what was dropped or pasted. */
export function picturesIn(transfer: DataTransfer | null): File[] {
  if (!transfer) return [];
  return [...transfer.files].filter((file) => file.type.startsWith('image/'));
}

/** A picture as a slot's content. @throws StudioError bad-input if it is none */
export async function pictureContent(studio: Studio, file: File): Promise<SlotContent> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { hash, width } = await studio.api.call('blobs.put', { bytes });
  if (width === null)
    throw new StudioError('bad-input', translate('slot.notAPicture', { name: file.name }), {
      remedy: translate('slot.notAPictureRemedy'),
    });
  return { kind: 'image', blob: hash, box: null, mask: null };
}

/** Asks for a file through an input of the page: works in every shell. null: cancelled. */
export async function chooseFile(accept: string): Promise<File | null> {
  return (await askForFiles(accept, false))[0] ?? null;
}

/** Asks for files that belong together; none: cancelled. */
export const chooseFiles = (accept: string): Promise<readonly File[]> => askForFiles(accept, true);

function askForFiles(accept: string, multiple: boolean): Promise<readonly File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = accept;
    input.multiple = multiple;
    input.addEventListener('change', () => resolve([...(input.files ?? [])]));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}

/** The picture on the clipboard, or null. */
export async function clipboardPicture(): Promise<File | null> {
  for (const item of await navigator.clipboard.read()) {
    const type = item.types.find((one) => one.startsWith('image/'));
    if (type) return new File([await item.getType(type)], 'clipboard.png', { type });
  }
  return null;
}
