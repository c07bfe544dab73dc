/** A small generator of random numbers, so that every failure can be repeated by its seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values that break arithmetic where lengths and sizes are read. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const TOKENS = [
  '"', '}', ']', '{"', '[[[[', 'null', '1e999', '-1', '../../x', '\u0000', '<!DOCTYPE x [<!ENTITY a "b">]>', '&a;', '</svg>',
  '<script>', 'NaN', '99999999999999999999', '__proto__', 'spatext-scene', '"version":99', 'M', 'matrix(1e9 0 0', ',',
]; // prettier-ignore

/** A file as a failing disk, a broken program or an attacker might leave it: one to four changes. */
export function mutate(source: Uint8Array, random: () => number): Uint8Array {
  let bytes = Buffer.from(source);
  const place = (): number => Math.floor(random() * Math.max(1, bytes.length));
  const changes = 1 + Math.floor(random() * 4);
  for (let change = 0; change < changes; change += 1) {
    const at = place();
    const kind = Math.floor(random() * 9);
    const length = Math.floor(random() ** 3 * 64) + 1;
    if (kind === 0) bytes = bytes.subarray(0, at);
    else if (kind === 1 && bytes.length > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    else if (kind === 2)
      for (let i = at; i < Math.min(at + length, bytes.length); i += 1) bytes[i] = Math.floor(random() * 256);
    else if (kind === 3 && bytes.length >= at + 4) {
      const edge = EDGES[Math.floor(random() * EDGES.length)] ?? 0;
      if (random() < 0.5) bytes.writeUInt32BE(edge, at);
      else bytes.writeUInt32LE(edge, at);
    } else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    else if (kind === 5)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(place(), place()), bytes.subarray(at)]);
    else if (kind === 6) {
      const token = TOKENS[Math.floor(random() * TOKENS.length)] ?? '';
      bytes = Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(token),
        bytes.subarray(random() < 0.5 ? at : at + token.length),
      ]);
    } else if (kind === 7) {
      // The header is where sizes are: change it more often than its share of the bytes.
      const early = Math.floor(random() * Math.min(64, bytes.length));
      if (bytes.length > 0) bytes[early] = Math.floor(random() * 256);
    } else bytes = Buffer.concat([bytes, Buffer.alloc(length, Math.floor(random() * 256))]);
    if (bytes.length > source.length * 3 + 4096) bytes = bytes.subarray(0, source.length);
  }
  return new Uint8Array(bytes);
}
