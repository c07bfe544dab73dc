import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { migrate } from '#library/database.ts';
import { MIGRATIONS } from '#library/migrations/index.ts';
import { insertResult } from '#library/migrations/migrations.testkit.ts';
import { libraryIn } from '#library/library.testkit.ts';
import { CALLS } from '#shared/api/calls.ts';

const ROWS = 2500;

test('killed while an old library is brought up to date: it opens, with everything in it', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'spatext-migration-'));
  try {
    const old = new Sqlite(path.join(root, 'old.sqlite'));
    old.pragma('journal_mode = WAL');
    migrate(old, MIGRATIONS.slice(0, 1));
    old.transaction(() => {
      for (let seq = 1; seq <= ROWS; seq += 1) insertResult(old, seq, 'beach', seq === 2499 ? 'a walrus' : 'a cat');
    })();
    old.close();
    const versions: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const folder = path.join(root, `round${round}`);
      cpSync(path.join(root, 'old.sqlite'), path.join(folder, 'library.sqlite'));
      const child = spawn(process.execPath, [path.join(import.meta.dirname, 'migrating-victim.ts'), folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const done = once(child.stdout, 'data');
      // From soon after its start to after its end: somewhere in between lies the migration.
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 300 + round * 250))]);
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
      const between = new Sqlite(path.join(folder, 'library.sqlite'), { readonly: true });
      versions.push(Number(between.pragma('user_version', { simple: true })));
      between.close();
      const { library, notices } = await libraryIn(folder);
      const list = async (search: string) => (await library.list(CALLS['results.list'].input.parse({ search }))).total;
      expect([await list(''), await list('walrus'), await list('beach')]).toEqual([ROWS, 1, ROWS]);
      expect(notices).toEqual([]);
      await library.close();
    }
    const known = MIGRATIONS.map(({ version }) => version);
    expect(versions.every((version) => known.includes(version))).toBe(true);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
