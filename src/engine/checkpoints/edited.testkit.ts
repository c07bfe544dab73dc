// Checkpoints made from the recorded ones by cutting tensors out or widening them.

type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };

function safetensors(tensors: Record<string, { entry: Entry; data: Buffer }>): Buffer {
  const header: Record<string, Entry> = {};
  let end = 0;
  for (const [name, { entry, data }] of Object.entries(tensors)) {
    header[name] = { ...entry, data_offsets: [end, end + data.length] };
    end += data.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(tensors).map(({ data }) => data)]);
}

/** The checkpoint without the tensors that begin so. */
export function withoutTensors(file: Buffer, prefix: string): Buffer {
  const size = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + size)) as Record<string, Entry>;
  const kept = Object.entries(header).filter(([name]) => name !== '__metadata__' && !name.startsWith(prefix));
  return safetensors(
    Object.fromEntries(
      kept.map(([name, entry]) => {
        const [begin, end] = entry.data_offsets;
        return [name, { entry, data: file.subarray(8 + size + begin, 8 + size + end) }];
      }),
    ),
  );
}

/** The same file with float32 where it holds float16. */
export function inFullPrecision(file: Buffer): Buffer {
  const size = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + size)) as Record<string, Entry>;
  const wide = Object.entries(header).flatMap(([name, entry]) => {
    if (name === '__metadata__') return [];
    const [begin, end] = entry.data_offsets;
    const data = file.subarray(8 + size + begin, 8 + size + end);
    if (entry.dtype !== 'F16') return [[name, { entry, data }] as const];
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const values = Float32Array.from({ length: (end - begin) / 2 }, (_, i) => view.getFloat16(2 * i, true));
    return [[name, { entry: { ...entry, dtype: 'F32' }, data: Buffer.from(values.buffer) }] as const];
  });
  return safetensors(Object.fromEntries(wide));
}

/** The same numbers with the sides of matrices changed over, where their names fit. */
export function reshaped(file: Buffer, names: RegExp): Buffer {
  const size = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + size)) as Record<string, Entry>;
  return safetensors(
    Object.fromEntries(
      Object.entries(header).flatMap(([name, entry]) => {
        if (name === '__metadata__') return [];
        const [begin, end] = entry.data_offsets;
        const shape = names.test(name) ? entry.shape.toReversed() : entry.shape;
        return [[name, { entry: { ...entry, shape }, data: file.subarray(8 + size + begin, 8 + size + end) }] as const];
      }),
    ),
  );
}

/** A textual inversion of two vectors. */
export function embeddingFile(width: number): Buffer {
  const values = Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i));
  const entry: Entry = { dtype: 'F32', shape: [2, width], data_offsets: [0, 0] };
  return safetensors({ emb_params: { entry, data: Buffer.from(values.buffer) } });
}

/**
 * The checkpoint with more input channels of the denoiser.
 * @param fill the new weights as float16 bits, by index; zero if left out
 */
export function withInputChannels(file: Buffer, channels: number, fill?: (i: number) => number): Buffer {
  const name = 'model.diffusion_model.input_blocks.0.0.weight';
  const size = Number(file.readBigUInt64LE());
  const header = JSON.parse(file.toString('utf8', 8, 8 + size)) as Record<string, Entry>;
  const entry = header[name]!;
  const [to, from, kh, kw] = entry.shape as [number, number, number, number];
  const [begin, end] = entry.data_offsets;
  const row = (end - begin) / to;
  const wide = Buffer.alloc((row / from) * channels * to);
  if (fill) for (let i = 0; i < wide.length / 2; i++) wide.writeUInt16LE(fill(i), i * 2);
  const data = file.subarray(8 + size);
  for (let i = 0; i < to; i++) data.copy(wide, (i * wide.length) / to, begin + i * row, begin + (i + 1) * row);
  const grown = wide.length - (end - begin);
  for (const [other, { data_offsets: offsets }] of Object.entries(header).filter(([key]) => key !== '__metadata__'))
    if (other !== name && offsets[0] >= end) header[other]!.data_offsets = [offsets[0] + grown, offsets[1] + grown];
  header[name] = { ...entry, shape: [to, channels, kh, kw], data_offsets: [begin, begin + wide.length] };
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data.subarray(0, begin), wide, data.subarray(end)]);
}
