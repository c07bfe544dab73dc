/** The version that this release writes. Raise it with a migration and a fixture of the old version. */
export const SCENE_VERSION = 1;

/** Takes a scene file of version `from` (unchecked JSON) to version `from + 1`. */
export interface SceneMigration {
  readonly from: number;
  readonly why: string;
  migrate(file: unknown): unknown;
}

/** In order, without gaps; each has a test on a file of its version. */
export const SCENE_MIGRATIONS: readonly SceneMigration[] = [];

/** Brings unchecked JSON of an older version up to this one; the result is parsed afterwards. */
export function migrateScene(
  json: unknown,
  version: number,
  migrations: readonly SceneMigration[] = SCENE_MIGRATIONS,
): unknown {
  let file = json;
  for (const migration of migrations) if (migration.from >= version) file = migration.migrate(file);
  return file;
}
