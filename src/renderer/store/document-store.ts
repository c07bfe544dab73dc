import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { DocumentId, HistoryMark, OpenDocument } from '#shared/api/calls.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { emptyDocument } from '#shared/document/create.ts';
import { applyDiff, diffDocuments, invertDiff, isEmptyDiff, squashDiffs } from '#shared/document/diff.ts';
import type { RecordsDiff } from '#shared/document/diff.ts';
import { documentProblem, toDocument, toRecords } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import { DocumentRecord, SegmentRecord } from '#shared/document/records.ts';
import { shareSteps } from '#shared/document/sharing.ts';
import { StudioError } from '#shared/errors.ts';
import { DocumentSender } from './document-sender.ts';
import type { SyncState } from './document-sender.ts';

/** What the window knows of its document. Replaced as a whole on each change; never changed in place. */
export interface DocumentState {
  /** null until the first document is loaded. */
  readonly id: DocumentId | null;
  readonly document: StudioDocument;
  /** The oldest step first; the last one is undone next. */
  readonly undo: readonly HistoryMark[];
  /** The last one is redone next. */
  readonly redo: readonly HistoryMark[];
  readonly file: OpenDocument['file'];
  /** Differs from its project file. */
  readonly dirty: boolean;
  /** Whether the host's journal has everything. */
  readonly sync: SyncState;
  /** The host has the changes but cannot put them on disk just now. */
  readonly stuck: boolean;
  /** Grows with each loaded document: projections rebuild themselves when it changes. */
  readonly epoch: number;
}

export interface EditOptions {
  /**
   * Squash into the last step instead of adding one. `true`: unconditionally (the next move of a drag whose first
   * move made the step). A string names the gesture: the edit extends the last step only if that came from the same
   * gesture, so sliders and text fields simply pass e.g. `weight:segment:a` each time, and call `seal()` at the end.
   */
  readonly extend?: boolean | string;
}

/** A pure function from one document to the next; returns its input to change nothing. */
export type Recipe = (document: StudioDocument) => StudioDocument;

export interface DocumentStore extends StoreApi<DocumentState> {
  /**
   * Changes the document and records an undoable step.
   * @param label what was done, as a text key `edit.*` of the catalogue (shown as "Undo stroke")
   * @returns whether anything changed
   * @throws StudioError bad-input if the result could not be saved; the document is then as before
   */
  edit(label: string, recipe: Recipe, options?: EditOptions): boolean;
  /** Ends a gesture: the next edit makes a step of its own whatever its `extend` says. */
  seal(): void;
  /** Takes the last step back. @returns its label, or null if there was none */
  undo(): string | null;
  redo(): string | null;
  /** Shows a document of the host, with its undo stack. Edits of the last one must have been flushed. */
  load(open: OpenDocument): void;
  /** Resolves when the host has every edit. */
  flush(): Promise<void>;
  /** The host's word on the project file. */
  markSaved(file: OpenDocument['file'], dirty: boolean): void;
  markStuck(stuck: boolean): void;
}

export interface DocumentStoreOptions {
  readonly throttleMs?: number;
  readonly retryMs?: number;
  /** Steps kept; the oldest go first. */
  readonly undoLimit?: number;
  /** The host could not go on with the document; the window's copy went to it as a new one, without a file. */
  onRescued?(error: StudioError): void;
  /** Not even that was possible. */
  onNotice?(error: StudioError): void;
}

/** The working document with undo. Views read it, gestures edit it, the host follows within the throttle. */
export function createDocumentStore(api: StudioApi, options: DocumentStoreOptions = {}): DocumentStore {
  const limit = options.undoLimit ?? 1000;
  const store = createStore<DocumentState>(() => ({
    id: null,
    document: emptyDocument(),
    undo: [],
    redo: [],
    file: null,
    dirty: false,
    sync: 'saved',
    stuck: false,
    epoch: 0,
  }));
  /** The gesture that the last step belongs to; false: sealed. */
  let gesture: string | boolean = false;
  const sender = new DocumentSender(api, {
    ...(options.throttleMs === undefined ? {} : { throttleMs: options.throttleMs }),
    ...(options.retryMs === undefined ? {} : { retryMs: options.retryMs }),
    reopen: async () => (await api.call('document.current', {})).id === store.getState().id,
    onSync: (sync) => {
      if (store.getState().sync !== sync) store.setState({ sync });
    },
    onRefused: (error) => void rescue(error),
  });

  /** The host's copy has parted from ours: ours is the artist's, so the host gets it whole, as a new document. */
  async function rescue(error: StudioError): Promise<void> {
    try {
      const open = await api.call('document.new', { records: toRecords(store.getState().document) });
      sender.start(open.id);
      // Edits made while the answer was under way.
      const missed = diffDocuments(toDocument(open.records), store.getState().document);
      store.setState({ id: open.id, file: open.file, dirty: true });
      if (!isEmptyDiff(missed)) sender.push({ diff: missed, undo: 'none', label: 'edit.rescue' });
      options.onRescued?.(error);
    } catch (thrown) {
      store.setState({ sync: 'offline' });
      options.onNotice?.(StudioError.from(thrown));
    }
  }

  function send(diff: RecordsDiff, undo: 'mark' | 'extend' | 'undo' | 'redo', label: string): void {
    if (store.getState().id) sender.push({ diff, undo, label });
  }

  function edit(label: string, recipe: Recipe, { extend = false }: EditOptions = {}): boolean {
    const state = store.getState();
    const document = recipe(state.document);
    if (document === state.document) return false;
    const diff = diffDocuments(state.document, document);
    if (isEmptyDiff(diff)) return false;
    checkDiff(diff, document);
    const last = state.undo.at(-1);
    const extends_ =
      last !== undefined &&
      gesture !== false &&
      (extend === true || (typeof extend === 'string' && extend === gesture)) &&
      state.redo.length === 0;
    gesture = extends_ && extend === true ? gesture : typeof extend === 'string' ? extend : true;
    if (extends_) {
      const squashed = squashDiffs(last.diff, diff);
      store.setState({
        document,
        undo: [...state.undo.slice(0, -1), { label: last.label, diff: squashed }],
        dirty: true,
      });
      send(diff, 'extend', last.label);
    } else {
      store.setState({ document, undo: [...state.undo, { label, diff }].slice(-limit), redo: [], dirty: true });
      send(diff, 'mark', label);
    }
    return true;
  }

  function step(from: 'undo' | 'redo'): string | null {
    const state = store.getState();
    const mark = state[from].at(-1);
    if (!mark) return null;
    gesture = false;
    const diff = from === 'undo' ? invertDiff(mark.diff) : mark.diff;
    const document = applyDiff(state.document, diff);
    const rest = state[from].slice(0, -1);
    store.setState(
      from === 'undo'
        ? { document, undo: rest, redo: [...state.redo, mark], dirty: true }
        : { document, redo: rest, undo: [...state.undo, mark], dirty: true },
    );
    send(diff, from, mark.label);
    return mark.label;
  }

  return {
    ...store,
    edit,
    seal: () => {
      gesture = false;
    },
    undo: () => step('undo'),
    redo: () => step('redo'),
    load: (open) => {
      gesture = false;
      sender.start(open.id);
      const document = toDocument(open.records);
      store.setState((state) => ({
        id: open.id,
        document,
        ...shareSteps(document, open.undo, open.redo),
        file: open.file,
        dirty: open.dirty,
        sync: 'saved',
        stuck: false,
        epoch: state.epoch + 1,
      }));
    },
    flush: () => sender.flush(),
    markSaved: (file, dirty) => store.setState({ file, dirty }),
    markStuck: (stuck) => store.setState({ stuck }),
  };
}

/**
 * Refuses what the host would refuse, while the gesture that made it can still say so. Shapes are not parsed here
 * (a segment may hold a hundred thousand points, and a stroke must not wait); the canvas bounds them as it draws.
 */
function checkDiff(diff: RecordsDiff, after: StudioDocument): void {
  const problem = diff.added.length + diff.removed.length > 0 ? documentProblem(Object.values(after)) : undefined;
  if (problem) throw new StudioError('bad-input', problem);
  for (const record of [...diff.added, ...diff.updated.map(([, to]) => to)]) {
    const parsed =
      record.type === 'segment' ? SegmentRecord.safeParse({ ...record, shapes: [] }) : DocumentRecord.safeParse(record);
    if (!parsed.success) throw StudioError.from(parsed.error, record.id);
  }
}
