import { config } from 'fabric';
import type { StudioDocument } from '#shared/document/document.ts';
import { sceneOf, segmentsOf } from '#shared/document/document.ts';
import type { Affine, Point } from '#shared/document/geometry.ts';
import type { ReferenceId, ReferenceRecord, SegmentId } from '#shared/document/records.ts';
import type { ViewState } from '../../store/view-store.ts';
import { referenceBounds } from '../edit/place-reference.ts';
import { mapBox, touches, unite } from '../geometry/boxes.ts';
import type { Rect } from '../geometry/boxes.ts';
import type { MapAnswer } from '../masks/protocol.ts';
import type { Outline } from '../masks/outline.ts';
import { colourOf } from '../palette.ts';
import type { Size, Viewport } from '../viewport/viewport.ts';
import { toAffine } from '../viewport/viewport.ts';
import { LaggingView } from './lagging-view.ts';
import { ModelMapObject } from './model-map.ts';
import { PictureObject } from './picture.ts';
import { ReferenceObject } from './reference.ts';
import { SceneCanvas } from './scene-canvas.ts';
import type { SceneObject } from './scene-object.ts';
import { SegmentObject } from './segment.ts';
import { segmentStyle } from './segment-style.ts';
import { SheetObject } from './sheet.ts';
import type { CanvasTheme } from './theme.ts';
import { TransformBox } from './transform-box.ts';

export type SceneView = Pick<
  ViewState,
  | 'selection'
  | 'hovered'
  | 'solo'
  | 'showOutlines'
  | 'modelsEye'
  | 'resultOpacity'
  | 'resultPlace'
  | 'split'
  | 'tool'
  | 'shown'
  | 'showPatterns'
>;

export interface SceneSources {
  blobUrl(hash: string): string;
  outline(id: SegmentId): Outline | undefined;
  /** A picture has been decoded (or taken away): the segments may have to step back. */
  onPicture(): void;
  onPictureFailed(): void;
}

/**
 * Shows the document on a Fabric canvas. Written to only: records become objects keyed by their id, each is updated
 * where its record or look has changed, and one frame is asked for when anything was.
 */
export class CanvasScene {
  readonly canvas: SceneCanvas;
  readonly box: TransformBox;
  readonly #sources: SceneSources;
  readonly #sheet: SheetObject;
  readonly #picture: PictureObject;
  readonly #map: ModelMapObject;
  readonly #segments = new Map<SegmentId, SegmentObject>();
  readonly #references = new Map<string, ReferenceObject>();
  readonly #hit: OffscreenCanvasRenderingContext2D | null;
  readonly #lag: LaggingView;
  #theme: CanvasTheme;
  #order: readonly SegmentId[] = [];
  #boxFor = '';
  #ratio = 0;
  /** Everything but the segments, as it was painted last. */
  #ground: readonly unknown[] = [];
  /** Areas whose segments look different from what is painted. */
  #stale: Rect[] = [];

  constructor(element: HTMLCanvasElement, theme: CanvasTheme, sources: SceneSources) {
    this.#theme = theme;
    this.#sources = sources;
    this.canvas = new SceneCanvas(element, {
      selection: false,
      enablePointerEvents: true,
      preserveObjectStacking: true,
      skipOffscreen: false,
      // the studio has a menu of its own
      stopContextMenu: false,
      fireRightClick: false,
      fireMiddleClick: false,
      renderOnAddRemove: false,
      uniformScaling: false,
      uniScaleKey: 'shiftKey',
      centeredKey: 'altKey',
      targetFindTolerance: 2,
    });
    this.#lag = new LaggingView(this.canvas);
    const size = { width: 1, height: 1 };
    this.#sheet = new SheetObject(size, theme);
    this.#picture = new PictureObject(
      size,
      () => sources.onPicture(),
      () => sources.onPictureFailed(),
    );
    this.#map = new ModelMapObject(size);
    this.box = new TransformBox(theme);
    this.#hit = new OffscreenCanvas(1, 1).getContext('2d');
    this.canvas.add(this.#sheet, this.#picture, this.#map, this.box);
  }

  redraw(): void {
    this.#stale = [];
    this.canvas.requestRenderAll();
  }

  /** Paints a segment anew where it is; what lies around it stays as it is. */
  redrawSegment(id: SegmentId): void {
    this.#touch(this.#segments.get(id));
    this.#redrawStale();
  }

  /** @param ratio screen pixels per CSS pixel; another one after a move to another screen, or a zoom of the page */
  resize({ width, height }: Size, ratio: number): void {
    if (this.canvas.width === width && this.canvas.height === height && ratio === this.#ratio) return;
    this.#ratio = ratio;
    config.configure({ devicePixelRatio: ratio });
    this.canvas.setDimensions({ width, height });
    this.redraw();
  }

  setViewport(view: Viewport): void {
    this.canvas.setViewportTransform(toAffine(view));
    this.box.setCoords();
    this.#lag.viewportChanged(view);
  }

  setTheme(theme: CanvasTheme): void {
    this.#theme = theme;
    this.#sheet.update({ width: this.#sheet.width, height: this.#sheet.height }, theme);
    this.box.setTheme(theme);
    this.redraw();
  }

  /** Brings the canvas in line with document and view. */
  sync(document: StudioDocument, view: SceneView): void {
    const scene = sceneOf(document);
    this.#sheet.update(scene, this.#theme);
    for (const object of [this.#picture, this.#map]) object.resize(scene);
    this.#syncPicture(view);
    this.#syncReferences(document);
    this.#syncSegments(document, view);
    this.#map.visible = view.modelsEye;
    const boxMoved = this.#syncBox(document, view);
    this.#arrange(view);
    if (this.#groundChanged(scene, view) || boxMoved) this.redraw();
    else this.#redrawStale();
  }

  setMap(map: MapAnswer | undefined, document: StudioDocument): void {
    this.#map.update(map, this.#theme.checkA, (id) => {
      const record = document[id];
      return colourOf(record?.type === 'segment' ? record.color : 0);
    });
    if (this.#map.visible) this.redraw();
  }

  /** A segment's outline has come from the worker; redraw() shows it. */
  outlineChanged(id: SegmentId): void {
    const object = this.#segments.get(id);
    this.#touch(object);
    object?.setOutline(this.#sources.outline(id));
    this.#touch(object);
    this.#boxFor = '';
  }

  segment(id: SegmentId): SegmentObject | undefined {
    return this.#segments.get(id);
  }

  /** The picture on the sheet, for tools that read its pixels. */
  get picture(): HTMLImageElement | undefined {
    return this.#picture.image;
  }

  references(): { record: ReferenceRecord; image: HTMLImageElement }[] {
    return [...this.#references.values()].flatMap(({ record, image }) =>
      image && record.visible ? [{ record, image }] : [],
    );
  }

  /** The topmost shown segment at a point of the scene. */
  segmentAt([x, y]: Point): SegmentId | undefined {
    for (const id of this.#order.toReversed()) {
      const object = this.#segments.get(id);
      if (!object?.visible || !object.outline) continue;
      if (this.#hit?.isPointInPath(object.outline.path, x, y, 'evenodd')) return id;
    }
    return undefined;
  }

  /** The topmost shown reference at a point of the scene. */
  referenceAt([x, y]: Point): ReferenceId | undefined {
    return this.references()
      .toReversed()
      .find(({ record }) => {
        const box = referenceBounds(record);
        return x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
      })?.record.id;
  }

  /** Shown segments that a box of the scene touches. */
  segmentsIn(box: Rect): SegmentId[] {
    return this.#order.filter((id) => {
      const object = this.#segments.get(id);
      const bounds = object?.visible ? object.outline?.bounds : undefined;
      return bounds !== undefined && touches(bounds, box);
    });
  }

  /** The box around segments, with what a drag has done to them. */
  boundsOf(ids: readonly SegmentId[]): Rect | undefined {
    let box: Rect | undefined;
    for (const id of ids) {
      const object = this.#segments.get(id);
      const bounds = object?.outline?.bounds;
      if (bounds) box = unite(box, object.moved ? mapBox(object.moved, bounds) : bounds);
    }
    return box;
  }

  /** Shows segments where a drag has taken them. */
  showMoved(ids: readonly SegmentId[], map: Affine): void {
    for (const id of ids) this.#segments.get(id)?.setMoved(map);
    this.redraw();
  }

  /** Places the handles anew from what the segments look like now. */
  refreshBox(document: StudioDocument, view: SceneView): void {
    this.#boxFor = '';
    if (this.#syncBox(document, view)) this.redraw();
    else this.#redrawStale();
  }

  async destroy(): Promise<void> {
    this.#lag.destroy();
    await this.canvas.dispose();
  }

  #syncPicture(view: SceneView): void {
    const { shown } = view;
    const url =
      shown.kind === 'none' ? undefined : shown.kind === 'preview' ? shown.url : this.#sources.blobUrl(shown.picture);
    void this.#picture.show(url);
    this.#picture.setStyle({
      opacity: view.modelsEye ? 0 : view.resultOpacity,
      left: view.resultPlace === 'split' ? view.split : undefined,
    });
  }

  #syncReferences(document: StudioDocument): void {
    for (const [id, object] of this.#references)
      if (document[id]?.type !== 'reference') {
        this.canvas.remove(object);
        this.#references.delete(id);
      }
    for (const record of Object.values(document)) {
      if (record.type !== 'reference') continue;
      let object = this.#references.get(record.id);
      if (object && object.record.blob !== record.blob) {
        this.canvas.remove(object);
        object = undefined;
      }
      if (!object) {
        object = new ReferenceObject(record, this.#sources.blobUrl(record.blob), () => this.redraw());
        this.#references.set(record.id, object);
        this.canvas.add(object);
      }
      if (object.record !== record || object.visible !== record.visible) object.update(record);
    }
  }

  #syncSegments(document: StudioDocument, view: SceneView): void {
    const scene = sceneOf(document);
    const segments = segmentsOf(document);
    for (const [id, object] of this.#segments)
      if (!document[id]) {
        this.#touch(object);
        this.canvas.remove(object);
        this.#segments.delete(id);
      }
    const overPicture = this.#picture.visible && view.shown.kind !== 'none' && view.resultPlace !== 'split';
    for (const segment of segments) {
      let object = this.#segments.get(segment.id);
      if (!object) {
        object = new SegmentObject(scene);
        this.#segments.set(segment.id, object);
        this.canvas.add(object);
        object.setOutline(this.#sources.outline(segment.id));
        this.#touch(object);
      }
      object.resize(scene);
      const style = segmentStyle(segment, {
        selected: view.selection.includes(segment.id),
        hovered: view.hovered === segment.id,
        dimmed: view.solo.length > 0 && !view.solo.includes(segment.id),
        overPicture: overPicture && view.resultOpacity > 0.25,
        showOutlines: view.showOutlines,
        patterns: view.showPatterns,
      });
      if (object.setStyle(view.modelsEye && style ? { ...style, fill: 0, pattern: undefined, halo: 0 } : style))
        this.#touch(object);
    }
    const order = segments.map((segment) => segment.id);
    // A segment that comes or goes is painted where it is; others that change places, everywhere.
    if (!sameItems(this.#order.filter((id) => order.includes(id)), order.filter((id) => this.#order.includes(id)))) this.#ground = []; // prettier-ignore
    this.#order = order;
  }

  #touch(object: SegmentObject | undefined): void {
    const area = object?.paintedBounds(this.canvas.getZoom());
    if (area) this.#stale.push(area);
  }

  #redrawStale(): void {
    for (const area of this.#stale.splice(0)) this.canvas.requestRender(area);
  }

  /** Whether the sheet, the pictures or how they lie have changed since the last call. */
  #groundChanged({ width, height }: Size, view: SceneView): boolean {
    const { modelsEye, resultOpacity, resultPlace, split, shown } = view;
    const { image, visible } = this.#picture;
    const references = [...this.#references.values()].map(({ record }) => record);
    // prettier-ignore
    const ground: readonly unknown[] = [
      width, height, modelsEye, resultOpacity, resultPlace, split, shown, image, visible, ...references,
    ];
    if (sameItems(ground, this.#ground)) return false;
    this.#ground = ground;
    return true;
  }

  /**
   * The handles stand around what can be moved, while the arrow is the tool.
   * @returns whether they must be painted anew
   */
  #syncBox(document: StudioDocument, view: SceneView): boolean {
    const movable = view.selection.filter((id) => {
      const record = document[id];
      return record?.type === 'segment' && !record.locked && record.visible;
    });
    const bounds = view.tool === 'select' && movable.length > 0 ? this.boundsOf(movable) : undefined;
    const { canvas, box } = this;
    if (!bounds) {
      const wasShown = box.visible;
      if (canvas.getActiveObject()) canvas.discardActiveObject();
      box.visible = false;
      this.#boxFor = '';
      return wasShown;
    }
    box.visible = true;
    const key = `${movable.join()} ${bounds.x} ${bounds.y} ${bounds.width} ${bounds.height}`;
    if (key !== this.#boxFor) box.place(bounds);
    this.#boxFor = key;
    if (canvas.getActiveObject() !== box) canvas.setActiveObject(box);
    return true;
  }

  /** Sheet, references, picture below, segments by order, picture above, map, handles. */
  #arrange(view: SceneView): void {
    const below = view.resultPlace === 'under';
    const wanted: (SceneObject | TransformBox)[] = [
      this.#sheet,
      ...this.#references.values(),
      ...(below ? [this.#picture] : []),
      ...(view.modelsEye ? [this.#map] : []),
      ...this.#order.flatMap((id) => this.#segments.get(id) ?? []),
      ...(below ? [] : [this.#picture]),
      ...(view.modelsEye ? [] : [this.#map]),
      this.box,
    ];
    const present = this.canvas.getObjects();
    for (const [index, object] of wanted.entries())
      if (present[index] !== object) {
        this.canvas.moveObjectTo(object, index);
        present.splice(present.indexOf(object), 1);
        present.splice(index, 0, object);
      }
  }
}

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);
