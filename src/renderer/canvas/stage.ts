import { sceneOf } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Point } from '#shared/document/geometry.ts';
import type { SceneRecord, SegmentId } from '#shared/document/records.ts';
import type { TextKey } from '../app/i18n/texts.ts';
import { translate } from '../app/i18n/texts.ts';
import type { Studio } from '../app/studio.ts';
import { mapSizeOf } from '../features/segments/map-size.ts';
import type { ViewState } from '../store/view-store.ts';
import { LiveLayer } from './live-layer.ts';
import { MaskService } from './masks/mask-service.ts';
import { Painter } from './painter.ts';
import { readPixels } from './pixels.ts';
import { PreviewLayer } from './preview-layer.ts';
import { CanvasScene } from './scene/canvas-scene.ts';
import { followCanvasTheme, readTheme } from './scene/theme.ts';
import type { PointerSample } from './tools/tool.ts';
import { TransformDrag } from './transform-drag.ts';
import type { Size, Viewport } from './viewport/viewport.ts';
import { clampZoom, fit, keepInSight, zoomTo } from './viewport/viewport.ts';

export interface StageElements {
  readonly root: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly live: HTMLCanvasElement;
  readonly preview: SVGSVGElement;
}

const stages = new WeakMap<Studio, Stage>();

/** The stage of a window while its canvas is there; for measuring and for tests. */
export const stageOf = (studio: Studio): Stage | undefined => stages.get(studio);

/** Screen pixels kept free around a fitted sheet: the tool bar, its settings above, the chip below. */
const MARGIN = { left: 64, right: 28, top: 62, bottom: 50 };

/**
 * The canvas's working parts for one window: it shows the document and the view, and offers the tools what they need.
 * Everything it knows about the artist's work it reads from the stores.
 */
export class Stage {
  readonly studio: Studio;
  readonly scene: CanvasScene;
  readonly live: LiveLayer;
  readonly preview: PreviewLayer;
  readonly masks: MaskService;
  readonly drag: TransformDrag;
  readonly painter: Painter;
  readonly root: HTMLElement;
  readonly #stops: (() => void)[];
  readonly #listeners = new Set<() => void>();
  #size: Size = { width: 0, height: 0 };
  /** The view is to show the whole sheet as soon as the element has a size. */
  #fitPending = true;
  /** The whole sheet is shown, and goes on being shown when the element changes its size. */
  #fitted = false;
  #mapTimer: ReturnType<typeof setTimeout> | undefined;
  #outlineTimer: ReturnType<typeof setTimeout> | undefined;
  #cursor: string | undefined;
  #textEditor: ((id: SegmentId) => void) | undefined;

  constructor(studio: Studio, { root, canvas, live, preview }: StageElements) {
    this.studio = studio;
    this.root = root;
    this.live = new LiveLayer(live);
    this.preview = new PreviewLayer(preview);
    this.masks = new MaskService({
      blobUrl: (hash) => studio.blobUrl(hash),
      onOutline: (id) => this.#outlineChanged(id),
      onError: (error) => studio.report(error),
    });
    this.scene = new CanvasScene(canvas, readTheme(root), {
      blobUrl: (hash) => studio.blobUrl(hash),
      outline: (id) => this.masks.outline(id),
      onPicture: () => this.sync(),
      onPictureFailed: () => studio.session.notify({ level: 'warning', message: translate('canvas.pictureMissing') }),
    });
    this.drag = new TransformDrag(this);
    this.painter = new Painter(this);
    this.#stops = [
      followCanvasTheme(() => this.scene.setTheme(readTheme(root))),
      studio.document.subscribe((state, before) => {
        if (state.epoch !== before.epoch) {
          this.live.clear();
          this.#fitPending = true;
          this.#fitIfPending();
        } else if (sceneOf(state.document).width !== sceneOf(before.document).width || sceneOf(state.document).height !== sceneOf(before.document).height) this.fit(); // prettier-ignore
        if (state.document !== before.document) this.sync();
      }),
      studio.view.subscribe((state, before) => {
        if (state.viewport !== before.viewport) this.#viewportChanged();
        if (looksDifferent(state, before)) this.sync();
        // nothing on the lower canvas changes when a stroke begins or ends: it is not painted again for that
        else if (state.drawing !== before.drawing) this.painter.release();
        if (state.tool !== before.tool) this.setCursor(undefined);
      }),
      studio.session.subscribe((state, before) => {
        if (state.packs !== before.packs) this.#askMap(0);
      }),
    ];
    this.sync();
    this.#viewportChanged();
    stages.set(studio, this);
  }

  get document(): StudioDocument {
    return this.studio.document.getState().document;
  }

  get sceneRecord(): SceneRecord {
    return sceneOf(this.document);
  }

  get view(): ViewState {
    return this.studio.view.getState();
  }

  get viewport(): Viewport {
    return this.view.viewport;
  }

  get size(): Size {
    return this.#size;
  }

  /** Calls back after outlines, viewport or document have changed: what lies above the canvas follows it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  resize(size: Size): void {
    if (size.width === 0 || size.height === 0) return;
    const before = this.#size;
    this.#size = size;
    this.scene.resize(size, window.devicePixelRatio);
    this.live.resize(size, window.devicePixelRatio);
    if (this.#fitIfPending() || before.width === 0) return;
    if (this.#fitted) this.fit();
    else {
      // the middle stays in the middle when a panel is opened or closed
      const { zoom, x, y } = this.viewport;
      this.setViewport({ zoom, x: x + (size.width - before.width) / 2, y: y + (size.height - before.height) / 2 });
    }
  }

  setViewport(next: Viewport): void {
    const zoom = clampZoom(next.zoom);
    this.#fitted = false;
    const kept = this.#size.width > 0 ? keepInSight({ ...next, zoom }, this.sceneRecord, this.#size) : next;
    this.studio.view.setState({ viewport: kept });
  }

  fit(): void {
    const { width, height } = this.sceneRecord;
    this.setViewport(fit({ x: 0, y: 0, width, height }, this.#size, MARGIN));
    this.#fitted = true;
  }

  fitSelection(): void {
    const bounds = this.scene.boundsOf(this.view.selection);
    if (bounds) this.setViewport(fit(bounds, this.#size, { left: 96, right: 96, top: 72, bottom: 72 }, 8));
  }

  zoomTo(zoom: number): void {
    this.setViewport(zoomTo(this.viewport, zoom, [this.#size.width / 2, this.#size.height / 2]));
  }

  /** Brings the canvas in line with the stores. */
  sync(): void {
    this.masks.update(this.document, this.view.selection);
    this.scene.sync(this.document, this.view);
    this.painter.release();
    if (this.view.modelsEye) this.#askMap(60);
    this.#tell();
  }

  editText(id: SegmentId): void {
    this.#textEditor?.(id);
  }

  /** The overlay owns the text fields. @returns the end of it */
  setTextEditor(editor: (id: SegmentId) => void): () => void {
    this.#textEditor = editor;
    return () => {
      if (this.#textEditor === editor) this.#textEditor = undefined;
    };
  }

  /** A press without a drag, with a tool that draws outlines: selects what lies there, as the arrow would. */
  clickThrough(at: PointerSample): void {
    const id = this.scene.segmentAt(at.scene);
    this.studio.view.select(id ? [id] : []);
  }

  /** What a right click is about: the segment under the pointer, or nothing; a selection it belongs to stays. */
  selectUnder(clientX: number, clientY: number): void {
    const id = this.scene.segmentAt(this.toScene(clientX, clientY));
    if (id && this.view.selection.includes(id)) return;
    this.studio.view.select(id ? [id] : []);
  }

  hoverSegment(at: PointerSample | undefined): void {
    const hovered = (at && this.scene.segmentAt(at.scene)) ?? null;
    if (hovered !== this.view.hovered) this.studio.view.setState({ hovered });
  }

  canMove(id: SegmentId): boolean {
    const segment = this.document[id];
    if (segment?.type !== 'segment') return false;
    if (segment.locked) this.hint('canvas.hint.locked');
    return !segment.locked;
  }

  /** Selected segments that may be moved. */
  movable(): SegmentId[] {
    return this.view.selection.filter((id) => {
      const segment = this.document[id];
      return segment?.type === 'segment' && !segment.locked && segment.visible;
    });
  }

  handleAt({ screen }: PointerSample): boolean {
    return this.drag.handleAt(screen);
  }

  insideBox({ scene }: PointerSample): boolean {
    return this.drag.contains(scene);
  }

  /** What the segments are drawn after: references and the picture, as pixels over the whole sheet. */
  pictureBelow(): ImageData | undefined {
    return readPixels(this.sceneRecord, this.scene.references(), this.view.resultOpacity > 0 ? this.scene.picture : undefined); // prettier-ignore
  }

  /** A cursor for the time of a gesture; undefined: the tool's own. */
  setCursor(cursor: string | undefined): void {
    this.#cursor = cursor;
    this.#tell();
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  hint(key: TextKey): void {
    this.studio.session.notify({ level: 'info', message: translate(key) });
  }

  attempt(run: () => Promise<unknown>): void {
    this.studio.attempt(run);
  }

  /** The point of the scene under a client point. */
  toScene(clientX: number, clientY: number): Point {
    const { left, top } = this.root.getBoundingClientRect();
    const { zoom, x, y } = this.viewport;
    return [(clientX - left - x) / zoom, (clientY - top - y) / zoom];
  }

  destroy(): void {
    if (stages.get(this.studio) === this) stages.delete(this.studio);
    for (const stop of this.#stops) stop();
    clearTimeout(this.#mapTimer);
    clearTimeout(this.#outlineTimer);
    this.drag.destroy();
    this.masks.destroy();
    void this.scene.destroy();
  }

  #fitIfPending(): boolean {
    if (!this.#fitPending || this.#size.width === 0 || this.studio.document.getState().id === null) return false;
    this.#fitPending = false;
    this.fit();
    return true;
  }

  #viewportChanged(): void {
    const { viewport } = this;
    this.scene.setViewport(viewport);
    this.live.setViewport(viewport, this.sceneRecord);
    this.preview.setViewport(viewport);
    this.#tell();
  }

  #outlineChanged(id: SegmentId): void {
    this.scene.outlineChanged(id);
    const waited = this.live.owner === id || this.view.selection.includes(id) || this.masks.settled;
    if (waited) this.#showOutlines();
    // when a whole scene is traced, not every single outline is worth a frame
    else this.#outlineTimer ??= setTimeout(() => this.#showOutlines(), 160);
  }

  #showOutlines(): void {
    clearTimeout(this.#outlineTimer);
    this.#outlineTimer = undefined;
    this.scene.refreshBox(this.document, this.view);
    this.painter.release();
    this.#tell();
  }

  #askMap(delay: number): void {
    if (!this.view.modelsEye) return;
    clearTimeout(this.#mapTimer);
    this.#mapTimer = setTimeout(() => {
      this.attempt(async () => {
        const records = Object.values(this.document);
        const map = await this.masks.ask<'map'>({ kind: 'map', records, ...mapSizeOf(this.studio) });
        this.scene.setMap(map, this.document);
      });
    }, delay);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const LOOKS = [
  'selection', 'hovered', 'solo', 'showOutlines', 'showPatterns', 'modelsEye', 'resultOpacity', 'resultPlace', 'split',
  'tool', 'shown',
] as const satisfies readonly (keyof ViewState)[]; // prettier-ignore

const looksDifferent = (a: ViewState, b: ViewState): boolean => LOOKS.some((field) => a[field] !== b[field]);
