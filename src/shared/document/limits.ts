/** Bounds that every reader enforces, so that a hostile or broken file cannot exhaust the machine. */
export const LIMITS = {
  /** Largest canvas side, in pixels. */
  canvasSide: 8192,
  canvasSideMin: 16,
  segments: 256,
  records: 2048,
  /** Characters of one text; longer ones are refused, not cut. */
  text: 2000,
  note: 20_000,
  /** Shapes of one segment, nested ones included. */
  shapes: 512,
  shapeDepth: 8,
  strokesPerShape: 2048,
  pointsPerStroke: 20_000,
  pathData: 500_000,
  /** Coordinates may lie outside the canvas, but not absurdly far. */
  coordinate: 1_000_000,
  guidanceScale: 30,
  steps: 1000,
  images: 64,
  mixDepth: 4,
  loras: 16,
  embeddings: 64,
  sceneFileBytes: 64 * 1024 * 1024,
} as const;
