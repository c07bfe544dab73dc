// Works on documents, project files and the library as fast as it can until somebody kills it. Every line it prints
// is a promise: what was confirmed before it must be there afterwards.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { openBlobStore } from '#engine/blobs/blob-store.ts';
import { finished } from '#library/library.testkit.ts';
import { openLibrary } from '#library/library.ts';
import { openKeeper } from '#project/keeper.ts';
import { beach, setText } from '#project/keeper.testkit.ts';
import { sceneOf, toDocument } from '#shared/document/document.ts';

const [root = '', first = '0', window = ''] = process.argv.slice(2);
const say = (line: string): void => void writeSync(1, `${line}\n`);

const blobs = openBlobStore(path.join(root, 'blobs'));
const keeper = await openKeeper({ folder: path.join(root, 'documents'), blobFolder: blobs.folder });
const library = await openLibrary({ folder: path.join(root, 'library'), blobFolder: blobs.folder });
const [unsaved] = await keeper.recoverable();
const opened = unsaved ? await keeper.recover(window, unsaved.id) : await keeper.current(window, () => beach('0'));
let document = toDocument(opened.records);
let count = Number(first);
say(`ready ${sceneOf(document).text}`);

const edits = async (): Promise<never> => {
  for (;;) {
    count += 1;
    const { diff, next } = setText(document, String(count));
    document = next;
    const undo = count % 5 === 0 ? 'mark' : 'extend';
    const number = count;
    await keeper.apply({ id: opened.id, sequence: number, diff, undo, label: String(number) });
    say(`edit ${number}`);
    if (number % 37 === 0) await keeper.flush();
    if (number % 11 === 0) {
      await keeper.save({ id: opened.id, path: path.join(root, 'work.spatext') });
      say(`save ${number}`);
    }
  }
};
const results = async (): Promise<never> => {
  for (let number = 1; ; number += 1) {
    const picture = await blobs.write(Buffer.from(`picture ${first} ${number} ${'x'.repeat(2000)}`));
    const id = `${first}-${number}`;
    await library.add(finished({ id, picture, embedding: [number, 1, 2] }));
    say(`result ${id} ${picture}`);
    // Said before it is done: from here on it may be gone, or still be there.
    if (number % 7 === 0) say(`removed ${id}`);
    if (number % 7 === 0) await library.remove([`result-${id}`]);
    if (number % 20 === 0) await library.purge({ olderThanMs: -1, budget: 1e12 });
  }
};
await Promise.all([edits(), results()]);
