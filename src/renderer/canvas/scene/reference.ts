import type { ReferenceRecord } from '#shared/document/records.ts';
import { SceneObject } from './scene-object.ts';

/** A picture to draw after. */
export class ReferenceObject extends SceneObject {
  #record: ReferenceRecord;
  #image: HTMLImageElement | undefined;
  readonly #onChange: () => void;

  constructor(record: ReferenceRecord, url: string, onChange: () => void) {
    super({ width: record.width, height: record.height });
    this.#record = record;
    this.#onChange = onChange;
    const image = new Image();
    image.src = url;
    image.decode().then(
      () => {
        this.#image = image;
        this.#onChange();
      },
      () => undefined, // a missing blob: the host has said so, and the canvas stays as it is
    );
  }

  get record(): ReferenceRecord {
    return this.#record;
  }

  get image(): HTMLImageElement | undefined {
    return this.#image;
  }

  update(record: ReferenceRecord): void {
    this.#record = record;
    this.visible = record.visible;
  }

  override paint(context: CanvasRenderingContext2D): void {
    if (!this.#image) return;
    const { transform, opacity, width, height } = this.#record;
    context.transform(...transform);
    context.globalAlpha *= opacity;
    context.imageSmoothingQuality = 'high';
    context.drawImage(this.#image, 0, 0, width, height);
  }
}
