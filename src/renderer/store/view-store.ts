import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { Imported } from '#shared/api/calls.ts';
import type { JobId, ResultId } from '#shared/api/generation.ts';
import type { BlobHash } from '#shared/document/geometry.ts';
import type { ReferenceId, SegmentId, SlotId } from '#shared/document/records.ts';

export const TOOLS = [
  'select', 'brush', 'eraser', 'lasso', 'polygon', 'rect', 'ellipse', 'fill', 'edge', 'pan',
] as const; // prettier-ignore
/** `edge` is the lasso that snaps to the edges of the picture below. */
export type Tool = (typeof TOOLS)[number];

/** The picture the canvas shows with the segments. */
export type Shown =
  | { readonly kind: 'none' }
  /** A result of the history. */
  | { readonly kind: 'result'; readonly id: ResultId; readonly picture: BlobHash }
  /** A picture that is not kept: a live picture, or a tile of the grid. */
  | { readonly kind: 'picture'; readonly picture: BlobHash; readonly job: JobId }
  /** Predicted x0 of a running job; an object URL that its maker revokes when it replaces it. */
  | { readonly kind: 'preview'; readonly url: string; readonly job: JobId };

/** A file to import and those that came along: in this page, or on the host's disk. */
export type ImportSource = (
  | { readonly kind: 'file'; readonly file: File }
  | { readonly kind: 'path'; readonly path: string }
) & { readonly beside: readonly File[] };
export type ImageChoice = Extract<Imported, { kind: 'annotations' }>;

/** Dialogs; one is open at a time. */
export type Dialog =
  | { readonly name: 'palette' }
  | { readonly name: 'cheat-sheet' }
  | { readonly name: 'new-scene' }
  | { readonly name: 'open' }
  | { readonly name: 'save-as' }
  | { readonly name: 'recover' }
  /** Choose one of the images of annotations; their files are sent again with the choice. */
  | { readonly name: 'annotations'; readonly source: ImportSource; readonly found: ImageChoice }
  | { readonly name: 'export' }
  | { readonly name: 'settings'; readonly page?: 'general' | 'models' | 'storage' | 'about' }
  | { readonly name: 'history' }
  | { readonly name: 'compare' }
  | { readonly name: 'result'; readonly id: ResultId }
  /** Choose a part of a picture for a segment's slot. */
  | { readonly name: 'crop'; readonly segment: SegmentId; readonly result: ResultId; readonly part?: 'a' | 'b' };

/** The canvas's position: a scene point s lies at screen point s * zoom + (x, y), CSS pixels of the canvas element. */
export interface Viewport {
  /** 0.05 to 32. */
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

/** What the canvas offers to commands; it registers itself while it is mounted. */
export interface CanvasController {
  fit(): void;
  fitSelection(): void;
  /** Zooms about the middle of the view. */
  zoomTo(zoom: number): void;
  zoomBy(factor: number): void;
  /** Starts editing a segment's text on the canvas. */
  editText(segment: SegmentId): void;
  /** Ends what is being drawn (polygon, lasso) without a change. @returns whether there was something */
  cancelGesture(): boolean;
}

/** Everything about the window that is neither saved nor undone. */
export interface ViewState {
  /** Ids of selected segments, the primary one last. */
  readonly selection: readonly SegmentId[];
  /** The reference picture that is being moved and scaled. */
  readonly reference: ReferenceId | null;
  readonly tool: Tool;
  /** Diameter of brush and eraser at full pressure, in scene pixels. */
  readonly brushSize: number;
  /** 0..1; a stroke of hardness h gets the feather (1 - h) * size / 2. */
  readonly brushHardness: number;
  readonly penPressure: boolean;
  /** Colour distance within which `fill` spreads, 0..1. */
  readonly fillTolerance: number;
  readonly viewport: Viewport;
  readonly shown: Shown;
  /** 0..1 */
  readonly resultOpacity: number;
  /** Where the picture lies with respect to the segments; `split`: picture left of the handle, segments right of it. */
  readonly resultPlace: 'over' | 'under' | 'split';
  /** Position of the split's handle as a fraction of the scene's width. */
  readonly split: number;
  /** Shows the map at the model's resolution. */
  readonly modelsEye: boolean;
  readonly showOutlines: boolean;
  readonly showLabels: boolean;
  /** Hatches segments besides colouring them. */
  readonly showPatterns: boolean;
  readonly hovered: SegmentId | null;
  /** The slot whose words the artist wants to write next: its field in the inspector takes the keyboard. */
  readonly writing: SlotId | null;
  /** Segments that alone are shown and generated; empty: all. Transient on purpose: it is a way to look. */
  readonly solo: readonly SegmentId[];
  readonly dialog: Dialog | null;
  /** Results side by side in the comparison, two to four. */
  readonly compare: readonly ResultId[];
  /** Pictures follow the drawing. */
  readonly live: boolean;
  /** Whether a pointer is drawing on the canvas: background work waits. */
  readonly drawing: boolean;
  readonly panels: { readonly left: boolean; readonly right: boolean; readonly bottom: boolean };
  readonly leftTab: 'segments' | 'library';
  /** The guidance pad fills itself with small pictures, `cells` x `cells` of them. */
  readonly grid: { readonly on: boolean; readonly cells: 3 | 4 | 5 };
  readonly canvas: CanvasController | null;
}

export interface ViewStore extends StoreApi<ViewState> {
  /** Replaces the selection, toggles one segment in it, or adds to it. */
  select(ids: readonly SegmentId[], how?: 'replace' | 'toggle' | 'add'): void;
  /** Forgets everything that belongs to the last document. */
  reset(): void;
  openDialog(dialog: Dialog | null): void;
}

export const ZOOM_RANGE = { min: 0.05, max: 32 } as const;
export const BRUSH_RANGE = { min: 1, max: 512 } as const;

const PER_DOCUMENT = {
  selection: [],
  reference: null,
  viewport: { zoom: 1, x: 0, y: 0 },
  shown: { kind: 'none' },
  hovered: null,
  writing: null,
  solo: [],
  compare: [],
  drawing: false,
} as const satisfies Partial<ViewState>;

export function createViewStore(): ViewStore {
  const store = createStore<ViewState>(() => ({
    ...PER_DOCUMENT,
    tool: 'brush',
    brushSize: 48,
    brushHardness: 1,
    penPressure: true,
    fillTolerance: 0.12,
    resultOpacity: 1,
    resultPlace: 'under',
    split: 0.5,
    modelsEye: false,
    showOutlines: true,
    showLabels: true,
    showPatterns: false,
    dialog: null,
    live: false,
    panels: { left: true, right: true, bottom: true },
    leftTab: 'segments',
    grid: { on: false, cells: 4 },
    canvas: null,
  }));
  return {
    ...store,
    select: (ids, how = 'replace') => {
      const { selection } = store.getState();
      if (how === 'replace') store.setState({ selection: [...ids] });
      else if (how === 'add') store.setState({ selection: [...selection.filter((id) => !ids.includes(id)), ...ids] });
      else
        store.setState({
          selection: [...selection.filter((id) => !ids.includes(id)), ...ids.filter((id) => !selection.includes(id))],
        });
    },
    reset: () => store.setState(PER_DOCUMENT),
    openDialog: (dialog) => store.setState({ dialog }),
  };
}
