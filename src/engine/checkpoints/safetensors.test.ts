import { mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { assertUnchanged, parseSafetensorsHeader, readSafetensorsFile, readStoredTensor } from './safetensors.ts';

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function fileOf(header: unknown, data: Uint8Array): Uint8Array {
  const text = encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const good = {
  __metadata__: { title: 'x' },
  'a.weight': { dtype: 'F16', shape: [2, 3], data_offsets: [0, 12] },
  'b.bias': { dtype: 'F32', shape: [], data_offsets: [12, 16] },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function refusal(bytes: Uint8Array | string, name = 'm.safetensors'): Promise<StudioError> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const error = await readSafetensorsFile(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StudioError);
  return error as StudioError;
}

describe('readSafetensorsFile', () => {
  test('reads shapes, types, absolute offsets and metadata; links are resolved', async () => {
    const path = join(folder, 'good.safetensors');
    const bytes = fileOf(
      good,
      new Uint8Array(16).map((_, i) => i),
    );
    await writeFile(path, bytes);
    await symlink(path, join(folder, 'link.safetensors'));
    const file = await readSafetensorsFile(join(folder, 'link.safetensors'));
    expect(file.path).toBe(path);
    expect(file.metadata.get('title')).toBe('x');
    expect(file.tensors.get('a.weight')).toEqual({ type: 'F16', shape: [2, 3], offset: bytes.length - 16, bytes: 12 });
    expect([...(await readStoredTensor(file, 'b.bias'))]).toEqual([12, 13, 14, 15]);
  });

  test('notices a file that was replaced or removed while in use', async () => {
    const path = join(folder, 'changing.safetensors');
    await writeFile(path, fileOf(good, new Uint8Array(16)));
    const file = await readSafetensorsFile(path);
    await assertUnchanged(file);
    await utimes(path, 1, 1);
    await expect(assertUnchanged(file)).rejects.toThrow('was changed while it was in use');
    await rm(path);
    await expect(assertUnchanged(file)).rejects.toThrow('no longer where it was');
  });

  test('says what a file of another kind is', async () => {
    expect((await refusal('PK\x03\x04data.pkl')).message).toContain('can run any code');
    expect((await refusal(new Uint8Array([0x80, 2, 0x8a, 10, 0x6c]))).message).toContain('can run any code');
    expect((await refusal('just some words, nothing else')).message).toContain('a text file');
    expect((await refusal('<!DOCTYPE html><html>')).message).toContain('a web page');
    expect((await refusal('GGUF\x03\0\0\0....')).message).toContain('GGUF');
    expect((await refusal('version https://git-lfs.github.com/spec/v1')).message).toContain('Git LFS');
    expect((await refusal('')).message).toContain('0 bytes');
  });

  test('refuses a truncated download', async () => {
    const path = join(folder, 'cut.safetensors');
    await writeFile(path, fileOf(good, new Uint8Array(16)));
    await truncate(path, fileOf(good, new Uint8Array(16)).length - 5);
    await expect(readSafetensorsFile(path)).rejects.toThrow('ends at byte');
    await truncate(path, 40);
    await expect(readSafetensorsFile(path)).rejects.toThrow('its header claims');
  });

  test.each([
    [
      'overlap',
      { a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] }, b: { dtype: 'U8', shape: [4], data_offsets: [2, 6] } },
      'shares bytes',
    ],
    ['gap', { a: { dtype: 'U8', shape: [4], data_offsets: [2, 6] } }, 'belong to nothing'],
    ['tail', { a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] } }, 'belong to nothing'],
    ['size', { a: { dtype: 'F32', shape: [4], data_offsets: [0, 6] } }, 'by its shape'],
    ['type', { a: { dtype: 'toString', shape: [6], data_offsets: [0, 6] } }, 'unknown element type'],
    [
      'huge shape',
      { a: { dtype: 'F32', shape: [4294967296, 4294967296, 0], data_offsets: [0, 0] } },
      'belong to nothing',
    ],
    ['overflow', { a: { dtype: 'F32', shape: [9007199254740991, 4], data_offsets: [0, 6] } }, 'by its shape'],
    ['negative', { a: { dtype: 'U8', shape: [-6], data_offsets: [0, 6] } }, 'no valid shape'],
    ['backwards', { a: { dtype: 'U8', shape: [6], data_offsets: [6, 0] } }, 'impossible range'],
    ['empty', { __metadata__: {} }, 'no tensor'],
    ['array', [1], 'not a JSON object'],
  ])('refuses a header that lies: %s', async (_, header, message) => {
    expect((await refusal(fileOf(header, new Uint8Array(6)))).message).toContain(message);
  });
});

describe('mutated headers', () => {
  test('10,000 of them are read or refused with a StudioError, in seconds', () => {
    const base = encode(good);
    const started = process.cpuUsage();
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 6 }),
        fc.nat(64),
        (edits, size) => {
          const bytes = [...base];
          for (const [at, value, kind] of edits) {
            if (kind === 0) bytes[at] = value;
            else if (kind === 1) bytes.splice(at, 0, value);
            else bytes.splice(at, 1);
          }
          const text = new Uint8Array(bytes);
          try {
            const header = parseSafetensorsHeader(text, text.length + 8 + size, 'm');
            for (const tensor of header.tensors.values()) {
              expect(tensor.offset).toBeGreaterThanOrEqual(8 + text.length);
              expect(tensor.offset + tensor.bytes).toBeLessThanOrEqual(8 + text.length + size);
            }
          } catch (error) {
            if (!(error instanceof StudioError)) throw error;
            refused += 1;
          }
        },
      ),
      { numRuns: 10_000, seed: 7 },
    );
    expect(refused).toBeGreaterThan(9_000);
    // Seconds of the processor, whatever else the machine does.
    const used = process.cpuUsage(started);
    expect(used.user + used.system).toBeLessThan(10e6);
  });
});
