import type { CallInput, CallName, CallOutput } from '#shared/api/calls.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { StudioError } from '#shared/errors.ts';

/** A host in the page's memory: enough for the canvas, nothing is generated. Blobs live as object URLs. */
export function createMemoryApi(): {
  api: StudioApi;
  blobUrl(hash: string): string;
  putBlob(blob: Blob): Promise<string>;
} {
  const urls = new Map<string, string>();
  const putBlob = async (blob: Blob): Promise<string> => {
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));
    const hash = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    if (!urls.has(hash)) urls.set(hash, URL.createObjectURL(blob));
    return hash;
  };
  const answers: Partial<{ [N in CallName]: (input: CallInput<N>) => Promise<CallOutput<N>> | CallOutput<N> }> = {
    'document.apply': ({ sequence }) => ({ sequence }),
    'import.file': async ({ bytes }) => {
      const blob = new Blob([new Uint8Array(bytes)]);
      const image = await createImageBitmap(blob);
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context?.drawImage(image, 0, 0);
      const data = context?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray();
      let hasAlpha = false;
      for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) hasAlpha = true;
      return { kind: 'image', blob: await putBlob(blob), width: image.width, height: image.height, hasAlpha };
    },
  };
  const call = async <N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> => {
    const answer = answers[name] as ((input: CallInput<N>) => Promise<CallOutput<N>> | CallOutput<N>) | undefined;
    if (!answer) throw new StudioError('unsupported', `the harness has no ${name}`);
    return answer(input);
  };
  return { api: { call, on: () => () => undefined }, blobUrl: (hash) => urls.get(hash) ?? '', putBlob };
}
