import type { Affine } from '#shared/document/geometry.ts';
import { composeAffine, IDENTITY } from '#shared/masks/affine.ts';

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  px: 1,
  pt: 4 / 3,
  pc: 16,
  mm: 96 / 25.4,
  cm: 96 / 2.54,
  in: 96,
  q: 96 / 101.6,
};

/** A length in pixels; percentages of `whole`. undefined: no length. */
export function readLength(value: string | undefined, whole: number): number | undefined {
  const match = new RegExp(`^\\s*(${NUMBER})\\s*([a-zA-Z%]*)\\s*$`).exec(value ?? '');
  if (!match) return undefined;
  const number = Number(match[1]);
  const unit = (match[2] ?? '').toLowerCase();
  const factor = unit === '%' ? whole / 100 : UNITS[unit];
  return factor === undefined || !Number.isFinite(number * factor) ? undefined : number * factor;
}

/** All numbers of an attribute, at most `most`. */
export function readNumbers(value: string | undefined, most: number): number[] {
  const numbers: number[] = [];
  for (const match of (value ?? '').matchAll(new RegExp(NUMBER, 'g'))) {
    if (numbers.length >= most) break;
    numbers.push(Number(match[0]));
  }
  return numbers.filter(Number.isFinite);
}

/** The transform attribute (SVG 1.1, section 7.6); an unknown function makes the whole of it void. */
export function readTransform(value: string | undefined): Affine {
  let total: Affine = IDENTITY;
  for (const [, name = '', rest] of (value ?? '').matchAll(/([a-zA-Z]+)\s*\(([^)]*)\)/g)) {
    const one = oneTransform(name, readNumbers(rest, 6));
    if (!one) return IDENTITY;
    total = composeAffine(total, one);
  }
  return total;
}

function oneTransform(name: string, numbers: readonly number[]): Affine | undefined {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = numbers;
  const turn = (degrees: number): Affine => {
    const angle = (degrees * Math.PI) / 180;
    return [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0];
  };
  switch (name) {
    case 'matrix':
      return numbers.length === 6 ? [a, b, c, d, e, f] : undefined;
    case 'translate':
      return [1, 0, 0, 1, a, b];
    case 'scale':
      return [a, 0, 0, numbers.length > 1 ? b : a, 0, 0];
    case 'rotate':
      return composeAffine(composeAffine([1, 0, 0, 1, b, c], turn(a)), [1, 0, 0, 1, -b, -c]);
    case 'skewX':
      return [1, 0, Math.tan((a * Math.PI) / 180), 1, 0, 0];
    case 'skewY':
      return [1, Math.tan((a * Math.PI) / 180), 0, 1, 0, 0];
    default:
      return undefined;
  }
}

/** A presentation property: the style attribute before the attribute of that name. */
export function readProperty(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  for (const declaration of (attributes['style'] ?? '').split(';')) {
    const colon = declaration.indexOf(':');
    if (colon > 0 && declaration.slice(0, colon).trim() === name) return declaration.slice(colon + 1).trim();
  }
  return attributes[name]?.trim();
}
