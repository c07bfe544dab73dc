import type { LookedAt } from '../api/packs.ts';
import type { SceneRecord } from './records.ts';

/** A file that belongs to a model, as it was looked at. */
export interface Belonging {
  readonly kind: Exclude<LookedAt['kind'], 'model'>;
  readonly path: string;
}

/**
 * The scene with a file that belongs to its model: LoRAs and embeddings come to the others, a VAE or an IP-Adapter
 * takes the place of the one before, an image encoder goes to the IP-Adapter. The same file twice changes nothing but
 * the strength that it is given.
 * @param strength of a LoRA, scale of an IP-Adapter
 */
export function withBelonging(scene: SceneRecord, { kind, path }: Belonging, strength?: number): SceneRecord {
  const { loras, additions } = scene;
  const { embeddings, ipAdapter } = additions;
  const adding = (change: Partial<SceneRecord['additions']>): SceneRecord => ({
    ...scene,
    additions: { ...additions, ...change },
  });
  switch (kind) {
    case 'lora':
      if (loras.some(({ file }) => file === path))
        return strength === undefined
          ? scene
          : { ...scene, loras: loras.map((lora) => (lora.file === path ? { ...lora, strength } : lora)) };
      return { ...scene, loras: [...loras, { file: path, strength: strength ?? 1 }] };
    case 'vae':
      return adding({ vae: path });
    case 'embedding':
      return embeddings.includes(path) ? scene : adding({ embeddings: [...embeddings, path] });
    case 'ip-adapter':
      return adding({ ipAdapter: { file: path, imageEncoder: null, scale: strength ?? ipAdapter?.scale ?? 0.8 } });
    case 'image-encoder':
      return ipAdapter ? adding({ ipAdapter: { ...ipAdapter, imageEncoder: path } }) : scene;
  }
}
