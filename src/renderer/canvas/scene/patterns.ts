import type { PatternName } from '../palette.ts';

const TILE = 10;
const tiles = new Map<string, HTMLCanvasElement>();

/** A hatching that keeps its size on the screen. */
export function hatch(
  context: CanvasRenderingContext2D,
  name: PatternName,
  colour: string,
  zoom: number,
): CanvasPattern | undefined {
  const pattern = context.createPattern(tile(name, colour), 'repeat') ?? undefined;
  // tiles are drawn at twice their size, for sharp lines on dense screens
  pattern?.setTransform(new DOMMatrix([0.5 / zoom, 0, 0, 0.5 / zoom, 0, 0]));
  return pattern;
}

/** Two quiet tones that say "nothing here yet", the same size at every zoom. */
export function checker(
  context: CanvasRenderingContext2D,
  a: string,
  b: string,
  zoom: number,
): CanvasPattern | undefined {
  const key = `${a} ${b}`;
  let canvas = tiles.get(key);
  if (!canvas) {
    canvas = document.createElement('canvas');
    canvas.width = 48;
    canvas.height = 48;
    const paint = canvas.getContext('2d');
    if (paint) {
      paint.fillStyle = a;
      paint.fillRect(0, 0, 48, 48);
      paint.fillStyle = b;
      paint.globalAlpha = 0.6;
      paint.fillRect(0, 0, 24, 24);
      paint.fillRect(24, 24, 24, 24);
    }
    tiles.set(key, canvas);
  }
  const pattern = context.createPattern(canvas, 'repeat') ?? undefined;
  pattern?.setTransform(new DOMMatrix([0.5 / zoom, 0, 0, 0.5 / zoom, 0, 0]));
  return pattern;
}

function tile(name: PatternName, colour: string): HTMLCanvasElement {
  const key = `${name} ${colour}`;
  const known = tiles.get(key);
  if (known) return known;
  const side = TILE * 2;
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const paint = canvas.getContext('2d');
  if (paint) {
    paint.strokeStyle = colour;
    paint.fillStyle = colour;
    paint.lineWidth = 3;
    paint.beginPath();
    switch (name) {
      case 'diagonal':
      case 'back-diagonal':
        // three lines, so that the corners of neighbouring tiles meet
        for (const shift of [-side, 0, side]) {
          const [from, to] = name === 'diagonal' ? [side, 0] : [0, side];
          paint.moveTo(shift - 2, from + (name === 'diagonal' ? 2 : -2));
          paint.lineTo(shift + side + 2, to + (name === 'diagonal' ? -2 : 2));
        }
        break;
      case 'horizontal':
        paint.moveTo(0, side / 2);
        paint.lineTo(side, side / 2);
        break;
      case 'vertical':
        paint.moveTo(side / 2, 0);
        paint.lineTo(side / 2, side);
        break;
      case 'cross':
        paint.moveTo(0, side / 2);
        paint.lineTo(side, side / 2);
        paint.moveTo(side / 2, 0);
        paint.lineTo(side / 2, side);
        break;
      case 'dots':
        paint.arc(side / 2, side / 2, 3, 0, 2 * Math.PI);
        paint.fill();
        break;
    }
    paint.stroke();
  }
  tiles.set(key, canvas);
  return canvas;
}
