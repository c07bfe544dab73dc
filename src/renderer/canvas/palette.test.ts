import { describe, expect, test } from 'vitest';
import { PALETTE, colourOf, patternOf, withAlpha } from './palette.ts';

type Rgb = [number, number, number];
const rgb = (hex: string): Rgb => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
const linear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]: Rgb): number => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);

/** Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB. */
const DEFECTS: Record<string, number[][]> = {
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}; // prettier-ignore

function lab(hex: string, defect?: string): Rgb {
  let value = rgb(hex).map(linear);
  const matrix = defect ? DEFECTS[defect] : undefined;
  if (matrix) value = matrix.map((row) => row.reduce((sum, w, k) => sum + w * (value[k] ?? 0), 0));
  const [r = 0, g = 0, b = 0] = value;
  const f = (t: number): number => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047);
  const y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
  const z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const distance = (a: Rgb, b: Rgb): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

describe('the palette', () => {
  test('all colours stay apart for every kind of colour blindness', () => {
    for (const defect of [undefined, 'protan', 'deutan', 'tritan'])
      for (const [i, one] of PALETTE.entries())
        for (const other of PALETTE.slice(0, i))
          expect(distance(lab(one, defect), lab(other, defect)), `${one} ${other} ${defect}`).toBeGreaterThan(14);
  });

  test('a dark label can be read on each (contrast at least 4.5)', () => {
    const label = luminance(rgb('#101216'));
    for (const colour of PALETTE) expect((luminance(rgb(colour)) + 0.05) / (label + 0.05), colour).toBeGreaterThan(4.5);
  });

  test('a colour that comes round again has another pattern', () => {
    const looks = new Set(Array.from({ length: 48 }, (_, k) => `${colourOf(k)} ${patternOf(k)}`));
    expect(looks.size).toBe(48);
  });

  test('alpha is written as two more digits', () => {
    expect(withAlpha('#102030', 0.5)).toBe('#10203080');
    expect(withAlpha('#102030', 7)).toBe('#102030ff');
  });
});
