import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

let chosen: string | undefined;

/** Names the folder of embedded packs; a packaged app keeps it beside its archive. */
export function setModelsFolder(folder: string): void {
  chosen = folder;
}

/** The folder of embedded packs: the one that was set, SPATEXT_MODELS, or `models/` of this checkout. */
export function modelsFolder(): string {
  const fromHere = (): string => {
    // From src/engine/packs and from a bundle in out/main alike: the nearest folder above with models/.
    let folder = path.dirname(fileURLToPath(import.meta.url));
    for (let i = 0; i < 5; i += 1) {
      const models = path.join(folder, 'models');
      if (existsSync(path.join(models, 'probe', 'probe.onnx'))) return models;
      folder = path.dirname(folder);
    }
    return path.resolve('models');
  };
  chosen ??= process.env['SPATEXT_MODELS'] ?? fromHere();
  return chosen;
}
