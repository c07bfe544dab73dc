import path from 'node:path';

/** Endings of model files; what comes before is the model's name. */
const ENDINGS = /\.(recipe\.json|safetensors|sft|ckpt|pth?|bin|gguf|onnx)$/i;

/** The name of a model by its path, without the ending. */
export const packNameOf = (target: string): string => path.basename(target).replace(ENDINGS, '');

/**
 * The id of a pack that brings none of its own, from its name: what it is called on the command line and in scenes. It
 * stays the same when the file moves to another folder or machine.
 */
export const packIdOf = (target: string): string =>
  packNameOf(target)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64) || 'model';
