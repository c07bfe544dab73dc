import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { StudioError } from '#shared/errors.ts';

/*
 * What no weight file tells (head counts, norm groups, activation, prediction type) may stand in the
 * configuration files of diffusers: inside a diffusers folder, or beside a single file in NAME.config/.
 */

const UnetConfig = z.looseObject({
  attention_head_dim: z.union([z.int().min(1).max(1024), z.array(z.int().min(1).max(1024)).min(1).max(8)]).nullish(),
  num_attention_heads: z.union([z.int().min(1).max(1024), z.array(z.int().min(1).max(1024)).min(1).max(8)]).nullish(),
  norm_num_groups: z.int().min(1).max(1024).nullish(),
  /** Latent cells on a side of the pictures it was trained on. */
  sample_size: z.int().min(1).max(4096).nullish().catch(null),
  addition_time_embed_dim: z.int().min(2).max(4096).nullish(),
  block_out_channels: z.array(z.int().min(1)).min(1).max(8).nullish(),
});

const VaeConfig = z.looseObject({
  norm_num_groups: z.int().min(1).max(1024).nullish(),
  scaling_factor: z.number().positive().nullish(),
  shift_factor: z.number().nullish(),
});

const TextConfig = z.looseObject({
  num_attention_heads: z.int().min(1).max(256).nullish(),
  num_hidden_layers: z.int().min(1).max(256).nullish(),
  hidden_act: z.string().nullish(),
});

const SchedulerConfig = z.looseObject({
  _class_name: z.string().nullish(),
  prediction_type: z.string().nullish(),
});

const ModelIndex = z.looseObject({
  _class_name: z.string().nullish(),
  force_zeros_for_empty_prompt: z.boolean().nullish(),
});

export interface Sidecar {
  readonly unet?: z.infer<typeof UnetConfig>;
  readonly vae?: z.infer<typeof VaeConfig>;
  readonly text?: z.infer<typeof TextConfig>;
  readonly text2?: z.infer<typeof TextConfig>;
  readonly scheduler?: z.infer<typeof SchedulerConfig>;
  readonly index?: z.infer<typeof ModelIndex>;
  /** `parameterization: "v"` of a NAME.yaml beside the file, as SD 2 models are published. */
  readonly yamlPrediction?: 'v_prediction' | 'epsilon';
}

const MAX_CONFIG_BYTES = 1 << 20;

/**
 * Parses JSON as Python writes it: diffusers puts Infinity, -Infinity and NaN into scheduler files.
 * They become strings outside of strings only.
 */
export function parsePythonJson(text: string): unknown {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)/g, (all, bare: string | undefined) =>
    bare ? `"${bare}"` : all,
  );
  return JSON.parse(quoted);
}

async function readConfig<T>(schema: z.ZodType<T>, path: string): Promise<T | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return undefined;
  if (info.size > MAX_CONFIG_BYTES)
    throw new StudioError('too-large', `${basename(path)} is too large for a configuration`);
  try {
    return schema.parse(parsePythonJson(await readFile(path, 'utf8')));
  } catch (error) {
    const cause = StudioError.from(error, `${basename(dirname(path))}/${basename(path)}`);
    throw new StudioError('bad-input', cause.message, {
      remedy: 'repair or remove this configuration file',
      cause: error,
    });
  }
}

/** Reads the configuration files of a diffusers folder, as far as they exist. */
export async function readSidecarFolder(folder: string): Promise<Sidecar> {
  const unet = await readConfig(UnetConfig, join(folder, 'unet', 'config.json'));
  const vae = await readConfig(VaeConfig, join(folder, 'vae', 'config.json'));
  const text = await readConfig(TextConfig, join(folder, 'text_encoder', 'config.json'));
  const text2 = await readConfig(TextConfig, join(folder, 'text_encoder_2', 'config.json'));
  const scheduler = await readConfig(SchedulerConfig, join(folder, 'scheduler', 'scheduler_config.json'));
  const index = await readConfig(ModelIndex, join(folder, 'model_index.json'));
  return {
    ...(unet && { unet }),
    ...(vae && { vae }),
    ...(text && { text }),
    ...(text2 && { text2 }),
    ...(scheduler && { scheduler }),
    ...(index && { index }),
  };
}

/** What stands beside a single file: NAME.config/ (diffusers) and NAME.yaml (the original training configuration). */
export async function readSidecarOf(file: string): Promise<Sidecar> {
  const stem = file.replace(/\.(safetensors|sft)$/i, '');
  const sidecar = await readSidecarFolder(`${stem}.config`);
  // A VAE of its own has its one configuration directly in the folder.
  const vae = sidecar.vae ?? (await readConfig(VaeConfig, join(`${stem}.config`, 'config.json')));
  const yaml = await readFile(`${stem}.yaml`, 'utf8').catch(() => '');
  const parameterization = /^\s*parameterization:\s*["']?(v|eps)["']?\s*(?:#.*)?$/m.exec(yaml)?.[1];
  return {
    ...sidecar,
    ...(vae && { vae }),
    ...(parameterization && {
      yamlPrediction: parameterization === 'v' ? ('v_prediction' as const) : ('epsilon' as const),
    }),
  };
}
