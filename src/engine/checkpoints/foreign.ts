import { StudioError } from '#shared/errors.ts';

const ascii = (bytes: Uint8Array, from: number, length: number) =>
  String.fromCharCode(...bytes.subarray(from, from + length));

function isText(bytes: Uint8Array): boolean {
  if (bytes.length < 16) return false;
  return bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127));
}

/**
 * Tells from its first bytes that a file is not safetensors, and says what it is.
 *
 * @param start the first bytes of the file, at most 4096
 * @returns the refusal to throw, or undefined if it may be safetensors
 */
export function describeForeignFile(start: Uint8Array, file: string): StudioError | undefined {
  const no = (what: string, remedy: string) =>
    new StudioError('unsupported', `${file} is ${what}`, { kept: 'nothing was read or changed', remedy });
  // A zip archive (PyTorch since 1.6) or a bare pickle (protocol 2 to 5, before that).
  const zip = start[0] === 0x50 && start[1] === 0x4b && (start[2] ?? 0) <= 8 && (start[3] ?? 0) <= 8;
  const pickle = start[0] === 0x80 && (start[1] ?? 0) >= 2 && (start[1] ?? 9) <= 5 && start[2] !== 0;
  if (zip || pickle)
    return no(
      'a PyTorch pickle (.ckpt, .pt, .bin): opening one can run any code its author put inside, so it is refused',
      'get the .safetensors version of the model, which holds numbers only',
    );
  if (ascii(start, 0, 4) === 'GGUF')
    return no('a GGUF file of llama.cpp', 'get the model as .safetensors in half precision');
  if (ascii(start, 0, 7) === 'version' && ascii(start, 0, 200).includes('git-lfs'))
    return no('a Git LFS pointer, not the model itself', 'download the file it points to (git lfs pull)');
  if (ascii(start, 1, 3) === 'PNG' || (start[0] === 0xff && start[1] === 0xd8) || ascii(start, 8, 4) === 'WEBP')
    return no('a picture', 'drop pictures on a segment or on the canvas, models are .safetensors files');
  if (ascii(start, 1, 3) === 'HDF') return no('an HDF5 file', 'get the model as .safetensors');
  // An ONNX model begins with field 1 (ir_version, a small varint) and a producer name.
  if (start[0] === 0x08 && (start[1] ?? 99) < 20 && start[2] === 0x12)
    return no('a single ONNX graph', 'drop the whole folder that holds model_index.json');
  if (/^\s*<(!doctype|html)/i.test(ascii(start, 0, 64)))
    return no('a web page saved under the name of a model', 'the download needs a login or moved: get the file again');
  if (isText(start)) return no('a text file under another name', 'choose a .safetensors file');
  return undefined;
}
