/**
 * Logarithm, sine and cosine made of + - * / and bit operations only.
 *
 * Math.log, Math.sin and Math.cos may differ between engines and processors in the last digit (ECMA-262 leaves
 * them to the implementation), and a seed must mean the same noise everywhere. IEEE arithmetic is fixed by the
 * language, so what is built from it is too. Polynomials and the reduction follow fdlibm (Sun Microsystems,
 * "Freely Distributable LIBM", e_log.c, k_sin.c, k_cos.c); errors stay below one unit in the last place.
 */

const LN2_HIGH = 6.9314718036912381649e-1; // the upper 33 bits, so that exponent * LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;

const bits = new DataView(new ArrayBuffer(8));

/** Natural logarithm of a normal positive number. */
export function log(x: number): number {
  bits.setFloat64(0, x);
  let exponent = ((bits.getUint32(0) >>> 20) & 0x7ff) - 1023;
  bits.setUint32(0, (bits.getUint32(0) & 0x000fffff) | 0x3ff00000);
  let mantissa = bits.getFloat64(0); // 1 <= mantissa < 2
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent += 1;
  }
  const f = mantissa - 1;
  if (f === 0) return exponent * LN2_HIGH + exponent * LN2_LOW;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (3.999999999940941908e-1 + w * (2.222219843214978396e-1 + w * 1.531383769920937332e-1));
  const odd =
    z *
    (6.66666666666673513e-1 +
      w * (2.857142874366239149e-1 + w * (1.818357216161805012e-1 + w * 1.479819860511658591e-1)));
  const rest = even + odd;
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + rest) + exponent * LN2_LOW) - f);
}

/** sin x for |x| <= pi/4. */
function sineKernel(x: number): number {
  const z = x * x;
  return (
    x +
    x *
      z *
      (-1.66666666666666324348e-1 +
        z *
          (8.33333333332248946124e-3 +
            z *
              (-1.98412698298579493134e-4 +
                z * (2.75573137070700676789e-6 + z * (-2.50507602534068634195e-8 + z * 1.58969099521155010221e-10)))))
  );
}

/** cos x for |x| <= pi/4. */
function cosineKernel(x: number): number {
  const z = x * x;
  const tail =
    z *
    (4.16666666666666019037e-2 +
      z *
        (-1.38888888888741095749e-3 +
          z *
            (2.48015872894767294178e-5 +
              z * (-2.75573143513906633035e-7 + z * (2.0875723212981748279e-9 - z * 1.13596475577881948265e-11)))));
  const half = 0.5 * z;
  const one = 1 - half;
  return one + (1 - one - half + z * tail);
}

/**
 * [cos 2 pi u, sin 2 pi u] of a fraction of a turn, 0 <= u < 1. The quadrant is taken off before the
 * multiplication with 2 pi, while everything is still exact.
 */
export function cosSinOfTurn(u: number): readonly [cosine: number, sine: number] {
  const quadrant = Math.floor(u * 4 + 0.5); // the nearest of 0..4
  const angle = (u - quadrant / 4) * (2 * Math.PI); // |angle| <= pi/4
  const c = cosineKernel(angle);
  const s = sineKernel(angle);
  switch (quadrant & 3) {
    case 0:
      return [c, s];
    case 1:
      return [-s, c];
    case 2:
      return [-c, -s];
    default:
      return [s, -c];
  }
}
