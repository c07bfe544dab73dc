import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { finished, libraryIn } from '#library/library.testkit.ts';
import { beach, keeperIn, setText } from '#project/keeper.testkit.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';
import { CALLS } from '#shared/api/calls.ts';
import { limitRoom } from './no-space.ts';

/** A disk of some megabytes that can really be full or read-only; only root may make one. */
class SmallDisk {
  readonly folder: string;
  constructor(size: string) {
    this.folder = mkdtempSync(path.join(tmpdir(), 'spatext-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', this.folder], { stdio: 'pipe' });
  }
  /** Takes all space: the last write gets what is left of it. */
  fill(): void {
    for (const step of [1 << 20, 1 << 12, 1])
      for (;;)
        try {
          writeFileSync(path.join(this.folder, 'filler'), Buffer.alloc(step), { flag: 'a' });
        } catch {
          break;
        }
  }
  free(): void {
    rmSync(path.join(this.folder, 'filler'), { force: true });
  }
  readOnly(on: boolean): void {
    execFileSync('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, this.folder], { stdio: 'pipe' });
  }
  remove(): void {
    execFileSync('umount', ['-l', this.folder], { stdio: 'pipe' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

let disk: SmallDisk | undefined;
function smallDisk(size: string): SmallDisk {
  disk = new SmallDisk(size);
  return disk;
}
function canMount(): boolean {
  try {
    new SmallDisk('1m').remove();
    return true;
  } catch {
    return false;
  }
}
let room: ReturnType<typeof limitRoom> | undefined;
function smallFolder(): Little {
  const folder = mkdtempSync(path.join(tmpdir(), 'spatext-room-'));
  const made = limitRoom(folder, 6_000_000);
  room = made;
  // A few bytes are left, as on a disk: the next write begins and does not end.
  return { folder, fill: () => void (made.left = 100), free: () => void (made.left = 6_000_000) };
}
afterEach(() => {
  room?.remove();
  room = undefined;
  disk?.remove();
  disk = undefined;
});

interface Little {
  readonly folder: string;
  fill(): void;
  free(): void;
}
/** A disk that is full, and where none can be made a folder that takes no more bytes. */
const FULL: [string, () => Little][] = [
  ...(canMount() ? [['disk', () => smallDisk('6m')] as [string, () => Little]] : []),
  ['folder', () => smallFolder()],
];

test.each(FULL)(
  'a full %s: changes stay in memory, are told once, and are written when there is room',
  async (_what, make) => {
    const little = make();
    const { folder } = little;
    const { keeper, notices } = await keeperIn(folder);
    const { id, records } = await keeper.current('w', beach);
    const troubles: { id: string; stuck: boolean }[] = [];
    keeper.onTrouble((trouble) => troubles.push(trouble));
    const target = path.join(folder, 'work.spatext');
    await keeper.save({ id, path: target });
    const before = readFileSync(target);
    little.fill();
    let document = toDocument(records);
    // Long texts, so that the journal needs more than what is left of its last block.
    for (let index = 1; index <= 20; index += 1) {
      const { diff, next } = setText(document, `${index} ${'x'.repeat(1500)}`);
      document = next;
      await keeper.apply({ id, sequence: index, diff, undo: 'mark', label: '' });
    }
    await vi.waitFor(() => expect(notices.map(({ level }) => level)).toEqual(['error']), { timeout: 5000 });
    expect(notices[0]).toMatchObject({
      message: expect.stringContaining('disk is full') as unknown,
      kept: expect.any(String) as unknown,
    });
    await expect(keeper.save({ id })).rejects.toMatchObject({ code: 'disk-full', kept: expect.any(String) as unknown });
    expect(readFileSync(target).equals(before)).toBe(true);
    little.free();
    const saved: number[] = [];
    keeper.onSaved(({ sequence }) => saved.push(sequence));
    await vi.waitFor(() => expect(saved).toContain(20), { timeout: 5000 });
    expect(notices.map(({ level }) => level)).toEqual(['error', 'info']);
    expect(troubles).toEqual([
      { id, stuck: true },
      { id, stuck: false },
    ]);
    await keeper.save({ id });
    await keeper.close();
    const again = await keeperIn(folder);
    const back = await again.keeper.current('w', () => beach('fallback'));
    expect(sceneOf(toDocument(back.records)).text).toMatch(/^20 /);
    expect(back.undo).toHaveLength(20);
    await again.keeper.close();
  },
);

test.runIf(canMount())(
  'a full disk under the library: refused in words, what was there stays, and it goes on',
  async () => {
    const { folder } = smallDisk('8m');
    const { library } = await libraryIn(folder);
    await library.add(finished({ id: 'a' }));
    disk?.fill();
    let refused: unknown;
    let added = 0;
    for (let index = 0; index < 300 && refused === undefined; index += 1) {
      refused = await library.add(finished({ id: `b${index}`, text: 'x'.repeat(1900) })).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refused === undefined) added += 1;
    }
    expect(refused).toMatchObject({ code: 'disk-full' });
    const total = async () => (await library.list(CALLS['results.list'].input.parse({}))).total;
    expect(await total()).toBe(1 + added);
    disk?.free();
    await library.add(finished({ id: 'after' }));
    expect(await total()).toBe(2 + added);
    await library.close();
    const again = await libraryIn(folder);
    expect(again.notices).toEqual([]);
    expect((await again.library.get('result-a')).id).toBe('result-a');
    await again.library.close();
  },
);

test.runIf(canMount())(
  'a project in a folder that cannot be written: opened, told, autosaved, saved elsewhere',
  async () => {
    const { folder } = smallDisk('2m');
    const home = mkdtempSync(path.join(tmpdir(), 'spatext-home-'));
    try {
      const { keeper, notices } = await keeperIn(home);
      const first = await keeper.current('w', beach);
      const target = path.join(folder, 'work.spatext');
      await keeper.save({ id: first.id, path: target });
      await keeper.closeWindow('w');
      disk?.readOnly(true);
      const opened = await keeper.open('w2', target);
      expect(notices).toMatchObject([{ level: 'warning', remedy: 'save it in another folder' }]);
      const { diff } = setText(toDocument(opened.records), 'changed');
      await keeper.apply({ id: opened.id, sequence: 1, diff, undo: 'mark', label: '' });
      await expect(keeper.save({ id: opened.id })).rejects.toMatchObject({ code: 'storage' });
      const elsewhere = path.join(home, 'copy.spatext');
      await keeper.save({ id: opened.id, path: elsewhere });
      expect((await stat(elsewhere)).size).toBeGreaterThan(100);
      await keeper.close();
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  },
);

test.runIf(canMount())('a data folder that cannot be written is refused in words', async () => {
  const { folder } = smallDisk('2m');
  await mkdir(path.join(folder, 'library'));
  disk?.readOnly(true);
  await expect(keeperIn(folder)).rejects.toMatchObject({ code: 'storage', remedy: expect.any(String) as unknown });
  await expect(libraryIn(path.join(folder, 'library'))).rejects.toMatchObject({
    code: 'storage',
    remedy: expect.any(String) as unknown,
  });
});
