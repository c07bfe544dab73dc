import { Point as FabricPoint } from 'fabric';
import { segmentsOf } from '#shared/document/document.ts';
import type { Affine, Point } from '#shared/document/geometry.ts';
import type { SegmentId } from '#shared/document/records.ts';
import { patchSegment } from '../store/recipes.ts';
import { snapBox } from './edit/snap-box.ts';
import { transformShapes } from './edit/transform.ts';
import { IDENTITY, isIdentity } from './geometry/affine.ts';
import { mapBox } from './geometry/boxes.ts';
import type { Rect } from './geometry/boxes.ts';
import type { Stage } from './stage.ts';

/** Screen pixels within which a moved box snaps. */
const SNAP = 6;

/** Turns what Fabric's handles do to the box into a preview while dragging and one edit at the end. */
export class TransformDrag {
  readonly #stage: Stage;
  readonly #stops: (() => void)[];
  /** The dragged segments and the box around them when the drag began. */
  #dragging: { ids: readonly SegmentId[]; from: Rect; others: readonly Rect[] } | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
    const { box } = stage.scene;
    this.#stops = [
      box.on('moving', ({ e }) => {
        this.#begin();
        this.#snap('ctrlKey' in e && (e.ctrlKey || e.metaKey));
        this.#show();
      }),
      box.on('scaling', () => this.#show()),
      box.on('rotating', ({ e }) => {
        this.#turnInSteps('shiftKey' in e && e.shiftKey);
        this.#show();
      }),
      box.on('modified', () => this.#finish()),
    ];
  }

  /** Whether one of the handles is under a screen point. */
  handleAt([x, y]: Point): boolean {
    const { box } = this.#stage.scene;
    return box.visible && box.findControl(new FabricPoint(x, y)) !== undefined;
  }

  contains([x, y]: Point): boolean {
    const { box } = this.#stage.scene;
    return box.visible && box.containsPoint(new FabricPoint(x, y));
  }

  /** Takes the drag back. @returns whether there was one */
  cancel(): boolean {
    const dragging = this.#dragging;
    if (!dragging) return false;
    // forgotten first: Fabric ends its drag with the same event as a finished one
    this.#dragging = undefined;
    const { scene, studio, preview } = this.#stage;
    scene.showMoved(dragging.ids, IDENTITY);
    scene.box.place(dragging.from);
    scene.canvas.endCurrentTransform();
    preview.showSnap([]);
    studio.view.setState({ drawing: false });
    return true;
  }

  destroy(): void {
    for (const stop of this.#stops) stop();
  }

  #begin(): void {
    if (this.#dragging) return;
    const { scene, document, sceneRecord } = this.#stage;
    const ids = this.#stage.movable();
    const from = scene.boundsOf(ids);
    if (!from) return;
    const others = segmentsOf(document)
      .filter((segment) => segment.visible && !ids.includes(segment.id))
      .flatMap((segment) => scene.segment(segment.id)?.outline?.bounds ?? []);
    this.#dragging = {
      ids,
      from,
      others: [{ x: 0, y: 0, width: sceneRecord.width, height: sceneRecord.height }, ...others],
    };
    this.#stage.studio.view.setState({ drawing: true });
  }

  #snap(off: boolean): void {
    const dragging = this.#dragging;
    const { box } = this.#stage.scene;
    if (!dragging) return;
    const { dx, dy, lines } = off
      ? { dx: 0, dy: 0, lines: [] }
      : snapBox(mapBox(box.delta(), dragging.from), dragging.others, SNAP / this.#stage.viewport.zoom);
    box.set({ left: box.left + dx, top: box.top + dy });
    box.setCoords();
    this.#stage.preview.showSnap(lines);
  }

  #turnInSteps(on: boolean): void {
    const { box } = this.#stage.scene;
    box.snapAngle = on ? 15 : undefined;
    box.snapThreshold = on ? 7.5 : undefined;
  }

  #show(): void {
    this.#begin();
    const { scene } = this.#stage;
    if (this.#dragging) scene.showMoved(this.#dragging.ids, scene.box.delta());
  }

  #finish(): void {
    const dragging = this.#dragging;
    this.#dragging = undefined;
    const { scene, studio, preview } = this.#stage;
    preview.showSnap([]);
    if (!dragging) return;
    const map = scene.box.delta();
    studio.view.setState({ drawing: false });
    transformSegments(this.#stage, dragging.ids, map, isTranslation(map) ? 'edit.move' : 'edit.transform');
  }
}

const isTranslation = ([a, b, c, d]: Affine): boolean => isIdentity([a, b, c, d, 0, 0], 1e-6);

/** Moves, scales, turns or mirrors segments by one map, as one step; locked ones stay. */
export function transformSegments(
  stage: Stage,
  ids: readonly SegmentId[],
  map: Affine,
  label: string,
  extend?: string,
): void {
  if (isIdentity(map)) return;
  try {
    stage.scene.showMoved(ids, map);
    stage.studio.document.edit(
      label,
      (document) =>
        ids.reduce((next, id) => patchSegment(next, id, ({ shapes }) => ({ shapes: transformShapes(shapes, map) })), document), // prettier-ignore
      extend === undefined ? {} : { extend },
    );
  } catch (thrown) {
    stage.scene.showMoved(ids, IDENTITY);
    stage.studio.report(thrown);
  }
}
