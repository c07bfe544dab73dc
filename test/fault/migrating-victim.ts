// Opens a library of an older version, which migrates it, until somebody kills it.
import { openLibrary } from '#library/library.ts';

const [folder = ''] = process.argv.slice(2);
await openLibrary({ folder, blobFolder: `${folder}/blobs` });
process.stdout.write('done\n');
setInterval(() => undefined, 1000);
