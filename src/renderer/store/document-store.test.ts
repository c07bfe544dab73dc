import { describe, expect, it, vi } from 'vitest';
import type { CallName } from '#shared/api/calls.ts';
import type { OpenDocument } from '#shared/api/calls.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { applyDiff } from '#shared/document/diff.ts';
import type { RecordsDiff } from '#shared/document/diff.ts';
import { sceneOf, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { createDocumentStore } from './document-store.ts';
import { addSegment, patchScene, patchSegment, removeSegments } from './recipes.ts';

interface Sent {
  id: string;
  sequence: number;
  diff: RecordsDiff;
  undo: string;
  label: string;
}

/** A host that keeps a copy as the real one does, and can be told to fail. */
function fakeHost(start: StudioDocument) {
  const sent: Sent[] = [];
  const failures: StudioError[] = [];
  let copy = start;
  let created = 0;
  let current = 'doc-1';
  const api = {
    call: async (name: CallName, input: unknown) => {
      const failure = failures.shift();
      if (failure) throw failure;
      if (name === 'document.new') {
        created += 1;
        const { records } = input as { records: ReturnType<typeof toRecords> };
        copy = toDocument(records);
        return { id: `doc-new${created}`, records, undo: [], redo: [], file: null, dirty: true };
      }
      if (name === 'document.current') return { id: current };
      const change = input as Sent;
      copy = applyDiff(copy, change.diff);
      sent.push(change);
      return { sequence: change.sequence };
    },
    on: () => () => undefined,
  } as unknown as StudioApi;
  return { api, sent, failures, copy: () => copy, setCurrent: (id: string) => (current = id) };
}

const open = (document: StudioDocument, extra: Partial<OpenDocument> = {}): OpenDocument => ({
  id: 'doc-1',
  records: toRecords(document),
  undo: [],
  redo: [],
  file: null,
  dirty: false,
  ...extra,
});

function setUp(options: { throttleMs?: number; undoLimit?: number } = {}) {
  const start = toDocument([createScene(), ...createSegment('a', 'fox', [])]);
  const host = fakeHost(start);
  const notices: StudioError[] = [];
  const store = createDocumentStore(host.api, {
    throttleMs: 1,
    retryMs: 1,
    onRescued: (error) => notices.push(error),
    onNotice: (error) => notices.push(error),
    ...options,
  });
  store.load(open(start));
  return { start, store, host, notices };
}

const weight = (value: number) => (document: StudioDocument) => patchSegment(document, 'segment:a', { weight: value });
const text = (value: string) => (document: StudioDocument) => patchScene(document, { text: value });
const textOf = (document: StudioDocument): string => sceneOf(document).text;

describe('edits and undo', () => {
  it('takes back and brings back one step at a time', () => {
    const { store } = setUp();
    store.edit('edit.text', text('one'));
    store.edit('edit.text', text('two'));
    expect(store.undo()).toBe('edit.text');
    expect(textOf(store.getState().document)).toBe('one');
    store.undo();
    expect(textOf(store.getState().document)).toBe('');
    expect(store.undo()).toBeNull();
    store.redo();
    store.redo();
    expect(textOf(store.getState().document)).toBe('two');
    expect(store.redo()).toBeNull();
  });

  it('makes no step of an edit that changes nothing', () => {
    const { store } = setUp();
    expect(store.edit('edit.text', (document) => document)).toBe(false);
    expect(store.edit('edit.text', (document) => patchScene(document, {}))).toBe(false);
    expect(store.getState().undo).toHaveLength(0);
  });

  it('squashes the moves of one gesture, and of that gesture only', () => {
    const { store } = setUp();
    store.edit('edit.weight', weight(0.5), { extend: 'weight' });
    store.edit('edit.weight', weight(0.7), { extend: 'weight' });
    store.edit('edit.text', text('x'), { extend: 'text' });
    store.edit('edit.weight', weight(0.9), { extend: 'weight' });
    expect(store.getState().undo.map((mark) => mark.label)).toEqual(['edit.weight', 'edit.text', 'edit.weight']);
    store.undo();
    store.undo();
    store.undo();
    expect(store.getState().document['segment:a']).toMatchObject({ weight: 1 });
  });

  it('extends unconditionally with true, but never across a seal, an undo or a load', () => {
    const { store, start } = setUp();
    store.edit('edit.weight', weight(0.5));
    store.edit('edit.weight', weight(0.6), { extend: true });
    expect(store.getState().undo).toHaveLength(1);
    store.seal();
    store.edit('edit.weight', weight(0.7), { extend: true });
    expect(store.getState().undo).toHaveLength(2);
    store.undo();
    store.edit('edit.weight', weight(0.8), { extend: true });
    expect(store.getState().undo).toHaveLength(2);
    expect(store.getState().redo).toHaveLength(0);
    store.load(open(start, { undo: [{ label: 'edit.old', diff: { added: [], updated: [], removed: [] } }] }));
    store.edit('edit.weight', weight(0.9), { extend: true });
    expect(store.getState().undo.map((mark) => mark.label)).toEqual(['edit.old', 'edit.weight']);
  });

  it('refuses what could not be saved, and leaves the document alone', () => {
    const { store } = setUp();
    const before = store.getState().document;
    expect(() => store.edit('edit.weight', weight(99))).toThrow(StudioError);
    expect(() => store.edit('edit.text', text('x'.repeat(3000)))).toThrow(/2000/);
    expect(() => store.edit('edit.x', (document) => removeRecord(document, 'slot:a'))).toThrow(/slot:a/);
    expect(store.getState().document).toBe(before);
    expect(store.getState().undo).toHaveLength(0);
  });

  it('keeps as many steps as it is told', () => {
    const { store } = setUp({ undoLimit: 3 });
    for (let index = 0; index < 5; index += 1) store.edit('edit.text', text(`t${index}`));
    expect(store.getState().undo).toHaveLength(3);
    while (store.undo() !== null);
    expect(textOf(store.getState().document)).toBe('t1');
  });

  it('undoes what was done before a restart', () => {
    const { store, host } = setUp();
    store.edit('edit.text', text('before'));
    const { document, undo } = store.getState();
    const again = createDocumentStore(host.api, { throttleMs: 1 });
    again.load(open(document, { undo: [...undo] }));
    again.undo();
    expect(textOf(again.getState().document)).toBe('');
  });
});

const removeRecord = (document: StudioDocument, id: string): StudioDocument =>
  Object.fromEntries(Object.entries(document).filter(([key]) => key !== id));

describe('sending', () => {
  it('brings the host to the same document, in order, one call for each step', async () => {
    const { store, host } = setUp();
    store.edit('edit.addSegment', (document) => addSegment(document, [], 'tent')[0]);
    for (let step = 1; step <= 9; step += 1) store.edit('edit.weight', weight(step / 10), { extend: 'weight' });
    store.edit('edit.delete', (document) => removeSegments(document, ['segment:a']));
    store.undo();
    await store.flush();
    expect(host.copy()).toEqual(store.getState().document);
    expect(host.sent.map((change) => change.undo)).toEqual(['mark', 'mark', 'mark', 'undo']);
    const sequences = host.sent.map((change) => change.sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(new Set(sequences).size).toBe(sequences.length);
    expect(store.getState().sync).toBe('saved');
  });

  it('sends at most one call per throttle', async () => {
    vi.useFakeTimers();
    try {
      const { store, host } = setUp({ throttleMs: 350 });
      for (let step = 1; step <= 20; step += 1) {
        store.edit('edit.weight', weight(step / 10), { extend: 'weight' });
        await vi.advanceTimersByTimeAsync(10);
      }
      expect(host.sent).toHaveLength(0);
      expect(store.getState().sync).toBe('saving');
      await vi.advanceTimersByTimeAsync(400);
      expect(host.sent).toHaveLength(1);
      expect(host.copy()).toEqual(store.getState().document);
    } finally {
      vi.useRealTimers();
    }
  });

  it('sends a change again under its number after the line was lost', async () => {
    const { store, host } = setUp();
    host.failures.push(new StudioError('crashed', 'gone'), new StudioError('busy', 'not yet'));
    store.edit('edit.text', text('kept'));
    store.edit('edit.weight', weight(0.4));
    await store.flush();
    expect(host.copy()).toEqual(store.getState().document);
    expect(host.sent).toHaveLength(2);
    expect(store.getState().sync).toBe('saved');
  });

  it('goes on with the same document when the host was started anew', async () => {
    const { store, host, notices } = setUp();
    host.failures.push(new StudioError('not-found', 'doc-1 is not open'));
    store.edit('edit.text', text('kept'));
    await store.flush();
    expect(store.getState().id).toBe('doc-1');
    expect(textOf(host.copy())).toBe('kept');
    expect(notices).toEqual([]);
    expect(store.getState().undo).toHaveLength(1);
  });

  it('does not go on with another document that the host has for this window', async () => {
    const { store, host, notices } = setUp();
    host.setCurrent('doc-other');
    host.failures.push(new StudioError('not-found', 'doc-1 is not open'));
    store.edit('edit.text', text('mine'));
    await store.flush();
    await vi.waitFor(() => expect(store.getState().id).toBe('doc-new1'));
    expect(textOf(host.copy())).toBe('mine');
    expect(notices).toHaveLength(1);
  });

  it('gives the host the whole document when it will not take a change', async () => {
    const { store, host, notices } = setUp();
    host.failures.push(new StudioError('bad-input', 'does not fit'));
    store.edit('edit.text', text('mine'));
    await store.flush();
    await vi.waitFor(() => expect(store.getState().id).toBe('doc-new1'));
    expect(textOf(host.copy())).toBe('mine');
    expect(notices).toHaveLength(1);
    store.edit('edit.text', text('and on'));
    await store.flush();
    expect(host.sent.at(-1)).toMatchObject({ id: 'doc-new1' });
    expect(textOf(host.copy())).toBe('and on');
  });

  it('never sends edits of one document to another', async () => {
    const { store, host, start } = setUp({ throttleMs: 50 });
    store.edit('edit.text', text('old'));
    store.load(open(start, { id: 'doc-2' }));
    store.edit('edit.weight', weight(0.3));
    await store.flush();
    expect(host.sent.map((change) => change.id)).toEqual(['doc-2']);
  });
});
