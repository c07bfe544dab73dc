import type { CallInput, CallName } from '#shared/api/calls.ts';
import { PNG, sampleRecords } from '#host/studio.testkit.ts';

const records = sampleRecords();
const hash = '0'.repeat(64);

/** Places that only the test knows. */
export interface Places {
  /** A blob that is there. */
  readonly blob: string;
  /** A file that may be read. */
  readonly file: string;
  /** Where a project may be written. */
  readonly project: string;
}

/** A good input for every call of the map. A call that is missing here does not compile. */
export const goodInputs = (places: Places): { readonly [N in CallName]: CallInput<N> } => ({
  'app.info': {},
  'app.openExternal': { url: 'https://arxiv.org/abs/2211.14305' },
  'settings.get': {},
  'settings.set': { theme: 'dark' },
  'examples.list': {},
  'document.current': {},
  'document.new': { records },
  'document.apply': {
    id: 'doc-1',
    sequence: 1,
    diff: { added: [], updated: [], removed: [] },
    undo: 'none',
    label: 'nothing',
  },
  'project.save': { id: 'doc-1', path: places.project },
  'project.open': { path: places.file },
  'project.list': {},
  'project.recoverable': {},
  'project.recover': { id: 'doc-1' },
  'project.discard': { id: 'doc-1' },
  'dialog.open': { for: 'project' },
  'dialog.save': { suggestedName: 'scene.png' },
  'blobs.put': { bytes: PNG },
  'blobs.saveAs': { hash: places.blob, path: places.project },
  'export.create': { records, format: 'json', result: null },
  'import.file': { name: 'a.png', bytes: PNG },
  'import.path': { path: places.file },
  'generate.start': { records },
  'generate.cost': { records },
  'generate.cancel': { job: 'job-1' },
  'queue.list': {},
  'queue.pause': { paused: true },
  'queue.move': { job: 'job-1', to: 'front' },
  'results.list': {},
  'results.get': { id: 'result-1' },
  'results.update': { id: 'result-1', starred: true },
  'results.delete': { ids: ['result-1'] },
  'results.restore': { ids: ['result-1'] },
  'results.erase': { ids: ['result-1'] },
  'results.changes': { from: 'result-1', to: 'result-2' },
  'results.family': { id: 'result-1' },
  'results.usage': {},
  'boards.list': {},
  'library.list': {},
  'library.add': { name: 'ball', records: records.slice(1) },
  'library.remove': { id: 'item-1' },
  'library.similar': { slot: { kind: 'text', text: 'ball', reading: 0 } },
  'packs.list': {},
  'packs.add': { path: places.file },
  'packs.look': { path: places.file },
  'packs.find': { name: 'model.safetensors', bytes: 5, head: new Uint8Array([1, 2]) },
  'packs.rest': {},
  'packs.remove': { id: 'sample-pack' },
  'devices.list': {},
  'log.recent': {},
});

/** For every call an input that its schema must refuse; plain values that every transport can carry. */
export const BAD_INPUTS: { readonly [N in CallName]: unknown } = {
  'app.info': null,
  'app.openExternal': { url: 7 },
  'settings.get': 'all',
  'settings.set': { theme: 'pink' },
  'examples.list': 3,
  'document.current': [],
  'document.new': { records: [] },
  'document.apply': { id: '../../etc/passwd', sequence: 1, diff: {}, undo: 'none', label: '' },
  'project.save': { id: 'doc-1', path: 'x'.repeat(5000) },
  'project.open': {},
  'project.list': true,
  'project.recoverable': 'x',
  'project.recover': { id: 'doc-' },
  'project.discard': { id: 1 },
  'dialog.open': { for: 'everything' },
  'dialog.save': { suggestedName: 'x'.repeat(300) },
  'blobs.put': { bytes: 'iVBORw0KGgo=' },
  'blobs.saveAs': { hash: '../x', path: '/tmp/x' },
  'export.create': { records, format: 'exe', result: null },
  'import.file': { name: 'a.png', bytes: [1, 2, 3] },
  'import.path': { path: null },
  'generate.start': { records, priority: 'at once' },
  'generate.cost': { records, priority: 'at once' },
  'generate.cancel': { job: 'everything' },
  'queue.list': null,
  'queue.pause': { paused: 'yes' },
  'queue.move': { job: 'job-1', to: 'sideways' },
  'results.list': { limit: 1e9 },
  'results.get': { id: "' or 1=1" },
  'results.update': { id: 'result-1', tags: 'all' },
  'results.delete': { ids: [] },
  'results.restore': { ids: ['nothing'] },
  'results.erase': { ids: 'all' },
  'results.changes': { from: 'result-1' },
  'results.family': { id: 'all' },
  'results.usage': 1,
  'boards.list': 1,
  'library.list': { search: 1 },
  'library.add': { name: 'x', records: 'x' },
  'library.remove': {},
  'library.similar': { slot: { kind: 'sound' } },
  'packs.list': 1,
  'packs.add': { path: '/'.repeat(5000) },
  'packs.look': { path: 5 },
  'packs.find': { name: 'model.safetensors', bytes: -1, head: new Uint8Array() },
  'packs.rest': 1,
  'packs.remove': { id: 5 },
  'devices.list': { probe: 'yes' },
  'log.recent': 0,
};

export { hash as NO_SUCH_BLOB };
