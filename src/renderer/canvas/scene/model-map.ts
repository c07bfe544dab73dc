import type { SegmentId } from '#shared/document/records.ts';
import type { MapAnswer } from '../masks/protocol.ts';
import { SceneObject } from './scene-object.ts';

/** Cells at least this wide on the screen get a grid. */
const GRID_FROM = 7;

/** The map as the model gets it: cell by cell, the topmost segment wins. */
export class ModelMapObject extends SceneObject {
  #image: OffscreenCanvas | undefined;
  #columns = 0;
  #rows = 0;
  #ground = '#000000';

  /** @param ground what is shown where no segment lies: the map has nothing there */
  update(map: MapAnswer | undefined, ground: string, colourOf: (id: SegmentId) => string): void {
    this.#ground = ground;
    if (!map) {
      this.#image = undefined;
      return;
    }
    const { width, height, labels, segments } = map;
    const colours = segments.map((id) => toRgb(colourOf(id)));
    const pixels = new ImageData(width, height);
    for (let index = 0; index < labels.length; index += 1) {
      const colour = colours[(labels[index] ?? 0) - 1];
      if (!colour) continue;
      pixels.data.set(colour, index * 4);
      pixels.data[index * 4 + 3] = 235;
    }
    this.#image = new OffscreenCanvas(width, height);
    this.#image.getContext('2d')?.putImageData(pixels, 0, 0);
    this.#columns = width;
    this.#rows = height;
  }

  override paint(context: CanvasRenderingContext2D, zoom: number): void {
    if (!this.#image) return;
    const { width, height } = this;
    context.fillStyle = this.#ground;
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#image, 0, 0, width, height);
    const cell = width / this.#columns;
    if (cell * zoom < GRID_FROM) return;
    context.beginPath();
    for (let column = 1; column < this.#columns; column += 1) {
      context.moveTo(column * cell, 0);
      context.lineTo(column * cell, height);
    }
    for (let row = 1; row < this.#rows; row += 1) {
      context.moveTo(0, (row * height) / this.#rows);
      context.lineTo(width, (row * height) / this.#rows);
    }
    context.strokeStyle = 'rgb(128 132 140 / 22%)';
    context.lineWidth = 1 / zoom;
    context.stroke();
  }
}

const toRgb = (hex: string): [number, number, number] =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
