// A folder with little room, where no real disk of that size can be made: writing below it takes from a budget, and ends
// as on a full disk, with the part that still fitted written. Native code (SQLite, the engine's libraries) is not reached.
// Loaded before a program (`node --import`), it takes folder and room from SPATEXT_TEST_ROOM ("bytes folder").
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';

interface Room {
  readonly folder: string;
  left: number;
}
const rooms: Room[] = [];
const roomOf = (file: unknown): Room | undefined =>
  typeof file === 'string' ? rooms.find(({ folder }) => path.resolve(file).startsWith(folder + path.sep)) : undefined;

/** Everything below `folder` may take this many more bytes. What is deleted gives none back; `left` does. */
export function limitRoom(folder: string, bytes: number): { left: number; remove(): void } {
  patch();
  const room: Room = { folder: path.resolve(folder), left: bytes };
  rooms.push(room);
  return {
    get left() {
      return room.left;
    },
    set left(now: number) {
      room.left = now;
    },
    remove: () => void rooms.splice(rooms.indexOf(room), 1),
  };
}

const full = (): Error =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', errno: -28, syscall: 'write' });

let patched = false;
function patch(): void {
  if (patched) return;
  patched = true;
  const real = { open: fs.promises.open, writeFile: fs.promises.writeFile };
  const handles = new WeakMap<FileHandle, Room>();
  let handlePatched = false;

  const patchHandle = (handle: FileHandle): void => {
    if (handlePatched) return;
    handlePatched = true;
    const kind = Object.getPrototypeOf(handle) as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const write = kind['write'] as (...args: unknown[]) => Promise<{ bytesWritten: number; buffer: unknown }>;
    /** Writes what fits. */
    const take = async (room: Room, self: FileHandle, bytes: Uint8Array, position?: number | null) => {
      const fits = Math.min(bytes.length, room.left);
      room.left -= fits;
      if (fits === 0 && bytes.length > 0) throw full();
      return write.call(self, bytes, 0, fits, position ?? null);
    };
    kind['write'] = function (this: FileHandle, ...args: unknown[]) {
      const room = handles.get(this);
      if (!room) return write.apply(this, args);
      const [data, offset, length, position] = args;
      if (typeof data === 'string') return take(room, this, Buffer.from(data));
      const bytes = data as Uint8Array;
      const from = typeof offset === 'number' ? offset : 0;
      const count = typeof length === 'number' ? length : bytes.length - from;
      return take(room, this, bytes.subarray(from, from + count), position as number | null | undefined);
    };
    const writeFile = kind['writeFile'] as (...args: unknown[]) => Promise<unknown>;
    kind['writeFile'] = async function (this: FileHandle, data: unknown, ...rest: unknown[]) {
      const room = handles.get(this);
      if (!room) return writeFile.call(this, data, ...rest);
      const bytes = typeof data === 'string' ? Buffer.from(data) : (data as Uint8Array);
      const { bytesWritten } = await take(room, this, bytes);
      if (bytesWritten < bytes.length) throw full();
      return undefined;
    };
  };

  const open = async (...args: Parameters<typeof real.open>): Promise<FileHandle> => {
    const handle = await real.open(...args);
    patchHandle(handle);
    const room = roomOf(args[0]);
    if (room) handles.set(handle, room);
    return handle;
  };
  const writeFile = async (...args: Parameters<typeof real.writeFile>): Promise<void> => {
    const [target, data, options] = args;
    if (!roomOf(target)) return real.writeFile(...args);
    const flags = typeof options === 'object' && options ? options : {};
    const handle = await open(target as string, flags.flag ?? 'w', flags.mode);
    try {
      await handle.writeFile(data as Uint8Array);
    } finally {
      await handle.close();
    }
  };
  Object.assign(fs.promises, { open, writeFile });
  syncBuiltinESMExports();
}

const asked = /^(\d+) (.+)$/.exec(process.env['SPATEXT_TEST_ROOM'] ?? '');
if (asked) limitRoom(asked[2] ?? '', Number(asked[1]));
