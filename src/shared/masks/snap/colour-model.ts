/** A mixture of Gaussians over three-channel colours, as GrabCut uses (Rother et al. 2004). */
export interface ColourModel {
  /** -log p(colour), with a floor on p so that one odd pixel cannot decide a cut. */
  cost(a: number, b: number, c: number): number;
}

interface Gaussian {
  readonly weight: number;
  readonly mean: readonly [number, number, number];
  /** Inverse covariance, upper triangle: xx, xy, xz, yy, yz, zz. */
  readonly inverse: readonly [number, number, number, number, number, number];
  readonly logFactor: number;
}

/** Colour noise that every component is granted at least, in units of the planes (CIELAB). */
const LEAST_VARIANCE = 4;
const ROUNDS = 6;
const MAX_COST = 25;

/**
 * Fits a mixture by k-means, then one Gaussian to each cluster.
 * @param colours three numbers a pixel
 * @param count components at most; fewer for few pixels
 */
export function fitColourModel(colours: Float32Array, count: number): ColourModel {
  const n = Math.floor(colours.length / 3);
  const k = Math.max(1, Math.min(count, Math.floor(n / 8)));
  const labels = cluster(colours, n, k);
  const gaussians: Gaussian[] = [];
  for (let j = 0; j < k; j += 1) {
    const fitted = fitGaussian(colours, n, labels, j);
    if (fitted) gaussians.push(fitted);
  }
  return {
    cost(a, b, c) {
      let density = 0;
      for (const { weight, mean, inverse, logFactor } of gaussians) {
        const x = a - mean[0];
        const y = b - mean[1];
        const z = c - mean[2];
        const [xx, xy, xz, yy, yz, zz] = inverse;
        const form = xx * x * x + yy * y * y + zz * z * z + 2 * (xy * x * y + xz * x * z + yz * y * z);
        density += weight * Math.exp(logFactor - form / 2);
      }
      return density > 0 ? Math.min(MAX_COST, -Math.log(density)) : MAX_COST;
    },
  };
}

/** k-means with far-apart seeds; deterministic, so the same stroke snaps the same way every time. */
function cluster(colours: Float32Array, n: number, k: number): Uint8Array {
  const labels = new Uint8Array(n);
  const centres = new Float64Array(3 * k);
  const nearest = new Float64Array(n).fill(Infinity);
  const squared = (i: number, j: number): number =>
    ((colours[3 * i] ?? 0) - (centres[3 * j] ?? 0)) ** 2 +
    ((colours[3 * i + 1] ?? 0) - (centres[3 * j + 1] ?? 0)) ** 2 +
    ((colours[3 * i + 2] ?? 0) - (centres[3 * j + 2] ?? 0)) ** 2;
  for (let channel = 0; channel < 3; channel += 1) {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += colours[3 * i + channel] ?? 0;
    centres[channel] = n > 0 ? sum / n : 0;
  }
  for (let j = 1; j < k; j += 1) {
    let far = 0;
    let most = -1;
    for (let i = 0; i < n; i += 1) {
      nearest[i] = Math.min(nearest[i] ?? 0, squared(i, j - 1));
      if ((nearest[i] ?? 0) > most) {
        most = nearest[i] ?? 0;
        far = i;
      }
    }
    for (let channel = 0; channel < 3; channel += 1) centres[3 * j + channel] = colours[3 * far + channel] ?? 0;
  }
  const sums = new Float64Array(4 * k);
  for (let round = 0; round < ROUNDS; round += 1) {
    sums.fill(0);
    for (let i = 0; i < n; i += 1) {
      let best = 0;
      let least = Infinity;
      for (let j = 0; j < k; j += 1) {
        const d = squared(i, j);
        if (d < least) {
          least = d;
          best = j;
        }
      }
      labels[i] = best;
      for (let channel = 0; channel < 3; channel += 1)
        sums[4 * best + channel] = (sums[4 * best + channel] ?? 0) + (colours[3 * i + channel] ?? 0);
      sums[4 * best + 3] = (sums[4 * best + 3] ?? 0) + 1;
    }
    for (let j = 0; j < k; j += 1) {
      const members = sums[4 * j + 3] ?? 0;
      if (members === 0) continue;
      for (let channel = 0; channel < 3; channel += 1)
        centres[3 * j + channel] = (sums[4 * j + channel] ?? 0) / members;
    }
  }
  return labels;
}

function fitGaussian(colours: Float32Array, n: number, labels: Uint8Array, label: number): Gaussian | null {
  let members = 0;
  let [mx, my, mz] = [0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    if (labels[i] !== label) continue;
    members += 1;
    mx += colours[3 * i] ?? 0;
    my += colours[3 * i + 1] ?? 0;
    mz += colours[3 * i + 2] ?? 0;
  }
  if (members === 0) return null;
  mx /= members;
  my /= members;
  mz /= members;
  let [xx, xy, xz, yy, yz, zz] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    if (labels[i] !== label) continue;
    const x = (colours[3 * i] ?? 0) - mx;
    const y = (colours[3 * i + 1] ?? 0) - my;
    const z = (colours[3 * i + 2] ?? 0) - mz;
    xx += x * x;
    xy += x * y;
    xz += x * z;
    yy += y * y;
    yz += y * z;
    zz += z * z;
  }
  xx = xx / members + LEAST_VARIANCE;
  yy = yy / members + LEAST_VARIANCE;
  zz = zz / members + LEAST_VARIANCE;
  xy /= members;
  xz /= members;
  yz /= members;
  const cxx = yy * zz - yz * yz;
  const cxy = xz * yz - xy * zz;
  const cxz = xy * yz - xz * yy;
  const det = xx * cxx + xy * cxy + xz * cxz;
  return {
    weight: members / n,
    mean: [mx, my, mz],
    inverse: [
      cxx / det,
      cxy / det,
      cxz / det,
      (xx * zz - xz * xz) / det,
      (xy * xz - xx * yz) / det,
      (xx * yy - xy * xy) / det,
    ],
    logFactor: -0.5 * Math.log(det) - 1.5 * Math.log(2 * Math.PI),
  };
}
