import type { Point } from '#shared/document/geometry.ts';
import type { Rect } from './geometry/boxes.ts';
import type { Viewport } from './viewport/viewport.ts';
import { boxToScreen, toScreen } from './viewport/viewport.ts';

/** What a tool shows before it is let go, in scene pixels. */
export type Preview =
  | { readonly kind: 'line'; readonly points: readonly Point[]; readonly closed: boolean; readonly knots: boolean; readonly colour: string }
  | { readonly kind: 'rect' | 'ellipse'; readonly box: Rect; readonly colour: string }
  | { readonly kind: 'marquee'; readonly box: Rect }; // prettier-ignore

/** A straight line across the view that shows what a drag snapped to. */
export interface SnapLine {
  readonly axis: 'x' | 'y';
  readonly at: number;
}

const NS = 'http://www.w3.org/2000/svg';

/** Thin lines above the canvas: outlines being drawn, snapping lines, the brush's ring. */
export class PreviewLayer {
  readonly #shape: SVGPathElement;
  readonly #halo: SVGPathElement;
  readonly #knots: SVGPathElement;
  readonly #snap: SVGPathElement;
  readonly #ring: SVGGElement;
  readonly #circles: readonly SVGCircleElement[];
  #preview: Preview | undefined;
  #lines: readonly SnapLine[] = [];
  #view: Viewport = { zoom: 1, x: 0, y: 0 };

  constructor(svg: SVGSVGElement) {
    const add = <K extends keyof SVGElementTagNameMap>(
      parent: Element,
      name: K,
      style: string,
    ): SVGElementTagNameMap[K] => {
      const element = document.createElementNS(NS, name);
      element.setAttribute('class', style);
      parent.append(element);
      return element;
    };
    svg.replaceChildren();
    this.#halo = add(svg, 'path', 'preview-halo');
    this.#shape = add(svg, 'path', 'preview-shape');
    this.#knots = add(svg, 'path', 'preview-knots');
    this.#snap = add(svg, 'path', 'preview-snap');
    this.#ring = add(svg, 'g', 'brush-ring');
    this.#circles = [add(this.#ring, 'circle', 'brush-ring-dark'), add(this.#ring, 'circle', 'brush-ring-light')];
    this.hideRing();
  }

  setViewport(view: Viewport): void {
    this.#view = view;
    this.#paint();
  }

  show(preview: Preview | undefined): void {
    this.#preview = preview;
    this.#paint();
  }

  showSnap(lines: readonly SnapLine[]): void {
    if (lines.length === 0 && this.#lines.length === 0) return;
    this.#lines = lines;
    this.#paint();
  }

  /** @param at screen point; @param diameter screen pixels */
  ring(at: Point, diameter: number): void {
    this.#ring.style.display = '';
    this.#ring.setAttribute('transform', `translate(${at[0]} ${at[1]})`);
    const radius = Math.max(1.5, diameter / 2);
    this.#circles[0]?.setAttribute('r', String(radius + 0.75));
    this.#circles[1]?.setAttribute('r', String(radius));
  }

  hideRing(): void {
    this.#ring.style.display = 'none';
  }

  #paint(): void {
    const preview = this.#preview;
    const d = preview ? this.#pathOf(preview) : '';
    this.#halo.setAttribute('d', d);
    this.#shape.setAttribute('d', d);
    this.#shape.dataset.kind = preview?.kind ?? '';
    this.#shape.style.setProperty('--shape', preview && preview.kind !== 'marquee' ? preview.colour : 'var(--accent)');
    const knots = preview?.kind === 'line' && preview.knots ? preview.points : [];
    this.#knots.setAttribute(
      'd',
      knots.map((point) => toScreen(this.#view, point)).map(([x, y]) => `M${x - 3} ${y - 3}h6v6h-6z`).join(''), // prettier-ignore
    );
    this.#snap.setAttribute(
      'd',
      this.#lines
        .map(({ axis, at }) => {
          const [x, y] = toScreen(this.#view, [at, at]);
          return axis === 'x' ? `M${x.toFixed(1)} -9999V9999` : `M-9999 ${y.toFixed(1)}H9999`;
        })
        .join(''),
    );
  }

  #pathOf(preview: Preview): string {
    if (preview.kind === 'line') {
      const points = preview.points.map((point) => toScreen(this.#view, point));
      const line = points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L');
      return line ? `M${line}${preview.closed ? 'Z' : ''}` : '';
    }
    const { x, y, width, height } = boxToScreen(this.#view, preview.box);
    if (preview.kind !== 'ellipse') return `M${x} ${y}h${width}v${height}h${-width}Z`;
    const rx = width / 2;
    const ry = height / 2;
    return `M${x} ${y + ry}a${rx} ${ry} 0 1 1 ${width} 0a${rx} ${ry} 0 1 1 ${-width} 0Z`;
  }
}
