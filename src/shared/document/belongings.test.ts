import { describe, expect, test } from 'vitest';
import { withBelonging } from './belongings.ts';
import type { Belonging } from './belongings.ts';
import { createScene } from './create.ts';
import { SceneRecord } from './records.ts';

const scene = createScene({ text: 'a field' });
const put = (kind: Belonging['kind'], path: string, to = scene) => withBelonging(to, { kind, path });

describe('a file that belongs to a model', () => {
  test('goes to its place in the scene, and the scene stays a good one', () => {
    let all = put('lora', '/m/ink.safetensors');
    all = put('embedding', '/m/style.safetensors', all);
    all = put('vae', '/m/vae.safetensors', all);
    all = put('ip-adapter', '/m/ip.safetensors', all);
    all = put('image-encoder', '/m/clip.safetensors', all);
    expect(all).toEqual({
      ...scene,
      loras: [{ file: '/m/ink.safetensors', strength: 1 }],
      additions: {
        vae: '/m/vae.safetensors',
        embeddings: ['/m/style.safetensors'],
        ipAdapter: { file: '/m/ip.safetensors', imageEncoder: '/m/clip.safetensors', scale: 0.8 },
      },
    });
    expect(SceneRecord.parse(all)).toEqual(all);
  });

  test('twice is once; another VAE or IP-Adapter takes the place, with an image encoder of its own', () => {
    const once = put('embedding', '/m/a.safetensors', put('lora', '/m/ink.safetensors'));
    expect(put('embedding', '/m/a.safetensors', put('lora', '/m/ink.safetensors', once))).toEqual(once);
    const first = put('image-encoder', '/m/clip.safetensors', put('ip-adapter', '/m/ip.safetensors'));
    const quiet = withBelonging(first, { kind: 'ip-adapter', path: '/m/ip2.safetensors' }, 0.3);
    expect(quiet.additions.ipAdapter).toEqual({ file: '/m/ip2.safetensors', imageEncoder: null, scale: 0.3 });
    expect(put('image-encoder', '/m/clip.safetensors')).toEqual(scene);
  });

  test.each(['//share/ink.safetensors', 'file:///m/ink.safetensors', '/m/ink.ckpt', ''])(
    'no scene names %j',
    (file) => {
      const empty = scene.additions;
      expect(SceneRecord.safeParse({ ...scene, additions: { ...empty, vae: file } }).success).toBe(false);
      expect(SceneRecord.safeParse({ ...scene, additions: { ...empty, embeddings: [file] } }).success).toBe(false);
      expect(SceneRecord.safeParse({ ...scene, additions: { ...empty, ipAdapter: { file } } }).success).toBe(false);
    },
  );
});

test('a LoRA that is there already takes the strength that is given, and keeps its own where none is', () => {
  const first = withBelonging(scene, { kind: 'lora', path: '/m/ink.safetensors' }, 0.4);
  expect(put('lora', '/m/ink.safetensors', first)).toBe(first);
  const louder = withBelonging(first, { kind: 'lora', path: '/m/ink.safetensors' }, 1.5);
  expect(louder.loras).toEqual([{ file: '/m/ink.safetensors', strength: 1.5 }]);
});
