/** A symmetric matrix's eigenvalues, ascending, and its eigenvectors in the columns of `vectors` (row-major). */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and -vectors of a symmetric n x n matrix: Householder reduction to tridiagonal form, then implicit QL
 * (EISPACK's tred2 and tql2; Bowdler, Martin, Reinsch and Wilkinson 1968). O(n³), exact to rounding.
 * @param matrix row-major; only its symmetric part is meaningful
 */
export function symmetricEigen(matrix: Float64Array, n: number): Eigen {
  const v = Float64Array.from(matrix);
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  tridiagonalise(v, d, e, n);
  implicitQl(v, d, e, n);
  return { values: d, vectors: v };
}

const at = (m: Float64Array, i: number): number => m[i] ?? 0;

function tridiagonalise(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let j = 0; j < n; j += 1) d[j] = at(v, (n - 1) * n + j);
  for (let i = n - 1; i > 0; i -= 1) {
    let scale = 0;
    let h = 0;
    for (let k = 0; k < i; k += 1) scale += Math.abs(at(d, k));
    if (scale === 0) {
      e[i] = at(d, i - 1);
      for (let j = 0; j < i; j += 1) {
        d[j] = at(v, (i - 1) * n + j);
        v[i * n + j] = 0;
        v[j * n + i] = 0;
      }
    } else {
      for (let k = 0; k < i; k += 1) {
        d[k] = at(d, k) / scale;
        h += at(d, k) ** 2;
      }
      let f = at(d, i - 1);
      let g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      e.fill(0, 0, i);
      for (let j = 0; j < i; j += 1) {
        f = at(d, j);
        v[j * n + i] = f;
        g = at(e, j) + at(v, j * n + j) * f;
        for (let k = j + 1; k < i; k += 1) {
          g += at(v, k * n + j) * at(d, k);
          e[k] = at(e, k) + at(v, k * n + j) * f;
        }
        e[j] = g;
      }
      f = 0;
      for (let j = 0; j < i; j += 1) {
        e[j] = at(e, j) / h;
        f += at(e, j) * at(d, j);
      }
      const half = f / (h + h);
      for (let j = 0; j < i; j += 1) e[j] = at(e, j) - half * at(d, j);
      for (let j = 0; j < i; j += 1) {
        f = at(d, j);
        g = at(e, j);
        for (let k = j; k < i; k += 1) v[k * n + j] = at(v, k * n + j) - (f * at(e, k) + g * at(d, k));
        d[j] = at(v, (i - 1) * n + j);
        v[i * n + j] = 0;
      }
    }
    d[i] = h;
  }
  for (let i = 0; i < n - 1; i += 1) {
    v[(n - 1) * n + i] = at(v, i * n + i);
    v[i * n + i] = 1;
    const h = at(d, i + 1);
    if (h !== 0) {
      for (let k = 0; k <= i; k += 1) d[k] = at(v, k * n + i + 1) / h;
      for (let j = 0; j <= i; j += 1) {
        let g = 0;
        for (let k = 0; k <= i; k += 1) g += at(v, k * n + i + 1) * at(v, k * n + j);
        for (let k = 0; k <= i; k += 1) v[k * n + j] = at(v, k * n + j) - g * at(d, k);
      }
    }
    for (let k = 0; k <= i; k += 1) v[k * n + i + 1] = 0;
  }
  for (let j = 0; j < n; j += 1) {
    d[j] = at(v, (n - 1) * n + j);
    v[(n - 1) * n + j] = 0;
  }
  v[n * n - 1] = 1;
  e[0] = 0;
}

function implicitQl(v: Float64Array, d: Float64Array, e: Float64Array, n: number): void {
  for (let i = 1; i < n; i += 1) e[i - 1] = at(e, i);
  e[n - 1] = 0;
  let shift = 0;
  let largest = 0;
  for (let l = 0; l < n; l += 1) {
    largest = Math.max(largest, Math.abs(at(d, l)) + Math.abs(at(e, l)));
    let m = l;
    while (m < n - 1 && Math.abs(at(e, m)) > Number.EPSILON * largest) m += 1;
    if (m > l) {
      do {
        let g = at(d, l);
        let p = (at(d, l + 1) - g) / (2 * at(e, l));
        let r = Math.hypot(p, 1);
        if (p < 0) r = -r;
        d[l] = at(e, l) / (p + r);
        d[l + 1] = at(e, l) * (p + r);
        const next = at(d, l + 1);
        let h = g - at(d, l);
        for (let i = l + 2; i < n; i += 1) d[i] = at(d, i) - h;
        shift += h;
        p = at(d, m);
        let c = 1;
        let c2 = 1;
        let c3 = 1;
        const beyond = at(e, l + 1);
        let s = 0;
        let s2 = 0;
        for (let i = m - 1; i >= l; i -= 1) {
          c3 = c2;
          c2 = c;
          s2 = s;
          g = c * at(e, i);
          h = c * p;
          r = Math.hypot(p, at(e, i));
          e[i + 1] = s * r;
          s = at(e, i) / r;
          c = p / r;
          p = c * at(d, i) - s * g;
          d[i + 1] = h + s * (c * g + s * at(d, i));
          for (let k = 0; k < n; k += 1) {
            const right = at(v, k * n + i + 1);
            const left = at(v, k * n + i);
            v[k * n + i + 1] = s * left + c * right;
            v[k * n + i] = c * left - s * right;
          }
        }
        p = (-s * s2 * c3 * beyond * at(e, l)) / next;
        e[l] = s * p;
        d[l] = c * p;
      } while (Math.abs(at(e, l)) > Number.EPSILON * largest);
    }
    d[l] = at(d, l) + shift;
    e[l] = 0;
  }
  sortByValue(v, d, n);
}

function sortByValue(v: Float64Array, d: Float64Array, n: number): void {
  for (let i = 0; i < n - 1; i += 1) {
    let least = i;
    for (let j = i + 1; j < n; j += 1) if (at(d, j) < at(d, least)) least = j;
    if (least === i) continue;
    [d[i], d[least]] = [at(d, least), at(d, i)];
    for (let row = 0; row < n; row += 1)
      [v[row * n + i], v[row * n + least]] = [at(v, row * n + least), at(v, row * n + i)];
  }
}

/** The product of two square matrices, row-major. */
export function multiplySquare(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let k = 0; k < n; k += 1) {
      const factor = at(a, i * n + k);
      if (factor === 0) continue;
      for (let j = 0; j < n; j += 1) out[i * n + j] = at(out, i * n + j) + factor * at(b, k * n + j);
    }
  }
  return out;
}

/** The square root of a symmetric matrix without negative eigenvalues (those below zero by rounding count as zero). */
export function symmetricRoot(matrix: Float64Array, n: number): Float64Array {
  const { values, vectors } = symmetricEigen(matrix, n);
  const scaled = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1)
    for (let k = 0; k < n; k += 1) scaled[i * n + k] = at(vectors, i * n + k) * Math.sqrt(Math.max(0, at(values, k)));
  const transposed = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) for (let k = 0; k < n; k += 1) transposed[k * n + i] = at(vectors, i * n + k);
  return multiplySquare(scaled, transposed, n);
}
