import './rulers.css';
import { useEffect, useRef } from 'react';
import { useSession, useStudio } from '../../app/studio.ts';
import { rulerTicks } from './ticks.ts';

const THICK = 18;

/** Rulers in scene pixels along the canvas. They follow the view without React: panning must not wait for it. */
export function Rulers() {
  return (
    <>
      <Ruler axis="x" />
      <Ruler axis="y" />
      <span className="ruler-corner" />
    </>
  );
}

function Ruler({ axis }: { readonly axis: 'x' | 'y' }) {
  const studio = useStudio();
  const ref = useRef<HTMLCanvasElement>(null);
  const theme = useSession((session) => session.settings.theme);
  useEffect(() => {
    const canvas = ref.current;
    const place = canvas?.parentElement;
    if (!canvas || !place) return undefined;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      const { zoom, [axis]: origin } = studio.view.getState().viewport;
      paint(canvas, axis, axis === 'x' ? place.clientWidth : place.clientHeight, zoom, origin);
    };
    const later = (): void => {
      frame ||= requestAnimationFrame(draw);
    };
    const stop = studio.view.subscribe((state, before) => {
      if (state.viewport !== before.viewport) later();
    });
    const size = new ResizeObserver(later);
    size.observe(place);
    later();
    return () => {
      stop();
      size.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [studio, axis, theme]);
  return (
    <div className={`ruler ruler-${axis}`} aria-hidden="true">
      <canvas ref={ref} />
    </div>
  );
}

function paint(canvas: HTMLCanvasElement, axis: 'x' | 'y', length: number, zoom: number, origin: number): void {
  const ratio = devicePixelRatio;
  const [width, height] = axis === 'x' ? [length, THICK - 1] : [THICK - 1, length];
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (!context) return;
  const style = getComputedStyle(canvas);
  context.scale(ratio, ratio);
  context.fillStyle = style.getPropertyValue('--faint');
  context.font = `9px ${style.getPropertyValue('--font')}`;
  context.textBaseline = 'top';
  for (const { value, at, labelled } of rulerTicks(zoom, origin, length)) {
    const tick = labelled ? THICK - 1 : 4;
    if (axis === 'x') context.fillRect(Math.round(at), THICK - 1 - tick, 1, tick);
    else context.fillRect(THICK - 1 - tick, Math.round(at), tick, 1);
    if (!labelled) continue;
    context.save();
    context.translate(axis === 'x' ? at + 3 : 2, axis === 'x' ? 2 : at + 3);
    if (axis === 'y') {
      // Along the ruler, read from the bottom up.
      context.translate(0, context.measureText(String(value)).width);
      context.rotate(-Math.PI / 2);
    }
    context.fillText(String(value), 0, 0);
    context.restore();
  }
}
