/** Numbers with a shape, seeded noise, and .npy files. Imports nothing of the engine. */
export * from './tensor.ts';
export * from './vector.ts';
export { NoiseStream, normalBatch, type NoiseState } from './noise.ts';
export { npyToTensor, readNpy, tensorToNpy, writeNpy, type NpyArray } from './npy.ts';
