import { describe, expect, test } from 'vitest';
import { SCENE_MIGRATIONS, SCENE_VERSION, migrateScene } from './migrations.ts';
import type { SceneMigration } from './migrations.ts';

describe('migrations', () => {
  test('the list is complete: one for every version before this one, in order', () => {
    expect(SCENE_MIGRATIONS.map((m) => m.from)).toEqual(Array.from({ length: SCENE_VERSION - 1 }, (_, i) => i + 1));
    for (const migration of SCENE_MIGRATIONS) expect(migration.why.length).toBeGreaterThan(10);
  });
  test('each file passes through exactly the steps it needs, in order', () => {
    const step = (from: number): SceneMigration => ({
      from,
      why: 'records which steps ran',
      migrate: (file) => ({
        ...(file as object),
        version: from + 1,
        steps: [...((file as { steps?: number[] }).steps ?? []), from],
      }),
    });
    const steps = [step(1), step(2), step(3)];
    expect(migrateScene({ version: 1 }, 1, steps)).toEqual({ version: 4, steps: [1, 2, 3] });
    expect(migrateScene({ version: 3 }, 3, steps)).toEqual({ version: 4, steps: [3] });
    expect(migrateScene({ version: 4 }, 4, steps)).toEqual({ version: 4 });
  });
  test('a file of this version is handed through untouched', () => {
    const file = { version: SCENE_VERSION, anything: [1, 2] };
    expect(migrateScene(file, SCENE_VERSION)).toBe(file);
  });
});
