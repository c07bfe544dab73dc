import { StudioError } from '#shared/errors.ts';
import type { SafetensorsFile } from './safetensors.ts';

/** What a safetensors file can turn out to be. Told by names, never by widths. */
export type FileKind =
  | 'sd1'
  | 'sd2'
  | 'sdxl'
  | 'vae'
  | 'lora'
  | 'embedding'
  | 'ip-adapter'
  | 'image-encoder'
  | 'text-encoder'
  | 'controlnet'
  | 'denoiser-only'
  | 'sdxl-refiner'
  | 'sd3'
  | 'flux'
  | 'other-transformer'
  | 'cascade'
  | 'upscaler'
  | 'unknown';

type Names = ReadonlyMap<string, unknown>;

const some = (names: Names, test: (name: string) => boolean) => {
  for (const name of names.keys()) if (test(name)) return true;
  return false;
};
const begins = (names: Names, prefix: string) => some(names, (name) => name.startsWith(prefix));

/** Tells a file's kind from the names in its header. */
export function kindOfFile(file: SafetensorsFile): FileKind {
  const names = file.tensors;
  // Small files that change a model come first: their names contain those of the model.
  if (
    some(
      names,
      (n) =>
        /\.(lora_(up|down|A|B|mid)\b|hada_w\d|lokr_w\d|oft_blocks|dora_scale)/.test(n) || /_lora\.(up|down)\./.test(n),
    )
  )
    return 'lora';
  if (some(names, (n) => n.startsWith('ip_adapter.') || n.startsWith('image_proj.'))) return 'ip-adapter';
  if (begins(names, 'control_model.') || begins(names, 'controlnet_') || begins(names, 'input_hint_block.'))
    return 'controlnet';
  if (
    names.has('emb_params') ||
    (names.size <= 4 && (names.has('clip_l') || names.has('clip_g') || names.has('string_to_param')))
  )
    return 'embedding';
  if (names.size === 1 && [...file.tensors.values()].every((t) => t.shape.length <= 2 && (t.shape.at(-1) ?? 0) <= 2048))
    return 'embedding';

  if (some(names, (n) => /(^|\.)double_blocks\.0\./.test(n)) || begins(names, 'single_transformer_blocks.'))
    return 'flux';
  if (some(names, (n) => /(^|\.)joint_blocks\.0\./.test(n))) return 'sd3';
  if (begins(names, 'clip_txt_mapper') || some(names, (n) => n.includes('clip_txt_pooled_mapper'))) return 'cascade';

  const unet = begins(names, 'model.diffusion_model.input_blocks.');
  if (unet && begins(names, 'conditioner.embedders.1.')) return 'sdxl';
  if (unet && begins(names, 'conditioner.embedders.0.model.')) return 'sdxl-refiner';
  if (unet && begins(names, 'cond_stage_model.model.')) return 'sd2';
  if (unet && begins(names, 'cond_stage_model.')) return 'sd1';
  if (unet || begins(names, 'input_blocks.0.') || (names.has('conv_in.weight') && begins(names, 'down_blocks.')))
    return 'denoiser-only';

  if (begins(names, 'first_stage_model.') || names.has('decoder.conv_in.weight')) return 'vae';
  if (begins(names, 'vision_model.') || begins(names, 'visual.')) return 'image-encoder';
  if (begins(names, 'text_model.') || begins(names, 'encoder.block.0.') || begins(names, 'transformer.resblocks.'))
    return 'text-encoder';
  if (some(names, (n) => /(^|\.)(transformer_blocks|blocks|layers)\.\d+\./.test(n))) return 'other-transformer';
  if (names.has('model.0.weight') || begins(names, 'body.0.')) return 'upscaler';
  return 'unknown';
}

const SENTENCES: Partial<Record<FileKind, readonly [what: string, remedy: string]>> = {
  vae: ['an autoencoder (VAE), not a whole model', 'choose it as the VAE of a model in the models view'],
  lora: ['a LoRA, not a whole model', 'drop it while a model is open: it changes that model'],
  embedding: [
    'an embedding (textual inversion), not a whole model',
    'drop it while a model is open: its file name then works as a word',
  ],
  'ip-adapter': [
    'an IP-Adapter, not a whole model',
    'drop it while a model is open: segments can then be filled from pictures',
  ],
  'image-encoder': ['a CLIP image encoder, not a whole model', 'it belongs to an IP-Adapter: choose it there'],
  'text-encoder': ['a text encoder, not a whole model', 'get the full model as one file'],
  controlnet: ['a ControlNet, which this studio does not use', 'draw segments instead'],
  'denoiser-only': [
    'only the denoiser (UNet) of a model, without text encoder and VAE',
    'get the full model as one file',
  ],
  'sdxl-refiner': ['the refiner of SDXL, which only finishes pictures of the base model', 'get the SDXL base model'],
  sd3: ['a Stable Diffusion 3 model, whose network is not known here', 'Stable Diffusion 1.x, 2.x and SDXL open here'],
  flux: ['a FLUX model, whose network is not known here', 'Stable Diffusion 1.x, 2.x and SDXL open here'],
  cascade: ['a Stable Cascade model, whose network is not known here', 'Stable Diffusion 1.x, 2.x and SDXL open here'],
  'other-transformer': [
    'a transformer of a kind that is not known here',
    'Stable Diffusion 1.x, 2.x and SDXL open here',
  ],
  upscaler: ['an upscaler, not a model that makes pictures', 'get a Stable Diffusion checkpoint'],
};

/** The refusal for a file that is not what was asked for. */
export function wrongKind(file: string, kind: FileKind): StudioError {
  const [what, remedy] = SENTENCES[kind] ?? [
    'no model that is known here',
    'Stable Diffusion 1.x, 2.x and SDXL open here, as .safetensors or as an optimum folder',
  ];
  return new StudioError('unsupported', `${file} is ${what}`, {
    kept: 'nothing was changed',
    remedy,
    details: { kind },
  });
}
