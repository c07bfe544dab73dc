import type { Size } from '../viewport/viewport.ts';
import { SceneObject } from './scene-object.ts';

export interface PictureStyle {
  readonly opacity: number;
  /** Only the part left of this fraction of the sheet's width; undefined: all of it. */
  readonly left: number | undefined;
}

/** From this zoom on pictures show their pixels, if one is then at least as many screen pixels wide. */
const SHARP_ZOOM = 6;
const SHARP_PIXEL = 4;

/** A result or preview, laid over the whole sheet. A new one replaces the old when it is decoded, without a blink. */
export class PictureObject extends SceneObject {
  #image: HTMLImageElement | undefined;
  #url: string | undefined;
  #style: PictureStyle = { opacity: 1, left: undefined };
  readonly #onChange: () => void;
  readonly #onFailed: () => void;

  constructor(size: Size, onChange: () => void, onFailed: () => void) {
    super(size);
    this.#onChange = onChange;
    this.#onFailed = onFailed;
    this.visible = false;
  }

  get image(): HTMLImageElement | undefined {
    return this.#image;
  }

  setStyle(style: PictureStyle): void {
    this.#style = style;
  }

  /** @param url undefined: no picture */
  async show(url: string | undefined): Promise<void> {
    if (url === this.#url) return;
    this.#url = url;
    if (url === undefined) {
      this.#image = undefined;
      this.visible = false;
      this.#onChange();
      return;
    }
    const image = new Image();
    image.decoding = 'async';
    image.src = url;
    try {
      await image.decode();
    } catch {
      // a preview's URL may be revoked before it was decoded; only a picture still wanted is missed
      if (this.#url === url) this.#onFailed();
      return;
    }
    if (this.#url !== url) return;
    this.#image = image;
    this.visible = true;
    this.#onChange();
  }

  override paint(context: CanvasRenderingContext2D, zoom: number): void {
    const image = this.#image;
    if (!image || this.#style.opacity <= 0) return;
    const { width, height } = this;
    if (this.#style.left !== undefined) {
      context.beginPath();
      context.rect(0, 0, width * this.#style.left, height);
      context.clip();
    }
    context.globalAlpha *= this.#style.opacity;
    const magnified = (width * zoom * (this.canvas?.getRetinaScaling() ?? 1)) / image.naturalWidth;
    context.imageSmoothingEnabled = zoom < SHARP_ZOOM || magnified < SHARP_PIXEL;
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, width, height);
  }
}
