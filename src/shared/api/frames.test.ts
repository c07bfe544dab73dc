import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StudioError } from '../errors.ts';
import { FRAME_LIMITS, decodeFrame, encodeFrame } from './frames.ts';

/** JSON values with byte arrays in any place; no "__proto__" keys, which a plain object cannot hold as values. */
const messages = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value;

/** A frame written by hand, with whatever lengths and JSON. */
function frame(json: string, attachments: Uint8Array[] = [], count = attachments.length): Uint8Array {
  const text = new TextEncoder().encode(json);
  const head = new DataView(new ArrayBuffer(8 + 4 * count));
  head.setUint8(0, 0x53);
  head.setUint8(1, 1);
  head.setUint16(2, count, true);
  head.setUint32(4, text.byteLength, true);
  attachments.forEach((part, index) => head.setUint32(8 + 4 * index, part.byteLength, true));
  return Buffer.concat([new Uint8Array(head.buffer), text, ...attachments]);
}

const refusal = (bytes: Uint8Array): StudioError => {
  try {
    decodeFrame(bytes);
  } catch (error) {
    if (error instanceof StudioError) return error;
    throw error;
  }
  throw new Error('it was taken');
};

describe('frames', () => {
  it('give back any message as it was', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const decoded = decodeFrame(encodeFrame(message));
        expect(decoded).toEqual(message);
      }),
      { numRuns: 500 },
    );
  });

  it('carry byte arrays that are views of larger ones', () => {
    const large = Uint8Array.from({ length: 100 }, (_, index) => index);
    expect(decodeFrame(encodeFrame({ a: [{ b: large.subarray(10, 20) }] }))).toEqual({
      a: [{ b: large.slice(10, 20) }],
    });
  });

  it('decode from the middle of a buffer', () => {
    const bytes = encodeFrame({ a: new Uint8Array([1, 2, 3]) });
    const padded = Buffer.concat([Buffer.alloc(7), bytes, Buffer.alloc(9)]);
    expect(decodeFrame(padded.subarray(7, 7 + bytes.byteLength))).toEqual({ a: new Uint8Array([1, 2, 3]) });
  });

  it('leave the message that is encoded untouched', () => {
    const message = { deep: { bytes: new Uint8Array([1]) }, list: [new Uint8Array([2])] };
    encodeFrame(message);
    expect(message).toEqual({ deep: { bytes: new Uint8Array([1]) }, list: [new Uint8Array([2])] });
  });

  it('refuse any noise with a typed error and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(['bad-input', 'newer-version', 'too-large']).toContain(refusal(noise).code);
      }),
      { numRuns: 2000 },
    );
  });

  it('survive any damage to a good frame', () => {
    fc.assert(
      fc.property(messages, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(), (message, at, byte, cut) => {
        const bytes = encodeFrame(message);
        bytes[at % bytes.length] = byte;
        for (const damaged of [bytes, bytes.subarray(0, cut % (bytes.length + 1))])
          try {
            decodeFrame(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(StudioError);
          }
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['empty', new Uint8Array()],
    ['another protocol', new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n')],
    ['no JSON', frame('{"v":')],
    ['bad UTF-8', Buffer.concat([frame('').subarray(0, 4), new Uint8Array([2, 0, 0, 0, 0xff, 0xfe])])],
    ['no envelope', frame('[1]')],
    ['no paths', frame('{"v":1}')],
    ['more paths than attachments', frame('{"v":null,"p":[[]]}')],
    ['more attachments than paths', frame('{"v":null,"p":[]}', [new Uint8Array(3)])],
    ['a path into nothing', frame('{"v":{},"p":[["a"]]}', [new Uint8Array(3)])],
    ['a path over a value', frame('{"v":{"a":1},"p":[["a"]]}', [new Uint8Array(3)])],
    ['a path through a prototype', frame('{"v":{},"p":[["__proto__","x"]]}', [new Uint8Array(3)])],
    ['a path to constructor', frame('{"v":{},"p":[["constructor"]]}', [new Uint8Array(3)])],
    ['a path that is no path', frame('{"v":null,"p":["v"]}', [new Uint8Array(3)])],
    ['a path of objects', frame('{"v":{"a":null},"p":[[{}]]}', [new Uint8Array(3)])],
    ['two in one place', frame('{"v":{"a":null},"p":[["a"],["a"]]}', [new Uint8Array(1), new Uint8Array(1)])],
    ['bytes after the end', Buffer.concat([frame('{"v":1,"p":[]}'), new Uint8Array(1)])],
    ['an attachment beyond the end', frame('{"v":null,"p":[[]]}', [new Uint8Array(9)]).slice(0, -1)],
    ['65535 attachments', frame('{"v":null,"p":[]}', [], 65_535)],
    ['a JSON longer than the frame', Buffer.concat([new Uint8Array([0x53, 1, 0, 0, 255, 255, 255, 255])])],
    ['nesting that would overflow what walks it', frame(`{"v":${'['.repeat(100_000)}${']'.repeat(100_000)},"p":[]}`)],
  ])('refuse %s', (_what, bytes) => {
    expect(refusal(bytes).code).toBe('bad-input');
  });

  it('do not take brackets in texts for nesting', () => {
    const text = '[{"\\"'.repeat(1000);
    expect(decodeFrame(encodeFrame({ text }))).toEqual({ text });
  });

  it('leave the prototypes of this process alone', () => {
    decodeFrame(frame('{"v":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}},"p":[]}'));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const decoded = decodeFrame(frame('{"v":{"__proto__":null},"p":[["__proto__"]]}', [new Uint8Array([5])]));
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  it('say so when the other side is newer', () => {
    const bytes = encodeFrame(1);
    bytes[1] = 2;
    expect(refusal(bytes)).toMatchObject({ code: 'newer-version', remedy: 'reload the window' });
  });

  it('refuse to encode what could not be decoded', () => {
    expect(() => encodeFrame(Array.from({ length: FRAME_LIMITS.attachments + 1 }, () => new Uint8Array(1)))).toThrow(
      expect.objectContaining({ code: 'bad-use' }),
    );
    expect(() => encodeFrame(new Uint8Array(FRAME_LIMITS.bytes + 1))).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    );
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => encodeFrame(loop)).toThrow(expect.objectContaining({ code: 'bad-use' }));
  });

  it('take a document with many points in reasonable time', () => {
    const points = Array.from({ length: 200_000 }, (_, index) => [index, index / 2, 0.5]);
    const started = performance.now();
    const decoded = decodeFrame(encodeFrame({ points })) as { points: unknown[] };
    expect(decoded.points.length).toBe(200_000);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
