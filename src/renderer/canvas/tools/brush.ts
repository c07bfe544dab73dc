import { StrokeBuilder } from '../geometry/stroke.ts';
import type { PenSample } from '../geometry/stroke.ts';
import { strokeShape } from '../edit/add-shape.ts';
import { FEATHERS_PER_DEVIATION } from '#shared/masks/blur.ts';
import type { LiveStroke } from '../live/live-stroke.ts';
import type { Stage } from '../stage.ts';
import type { Gesture, PointerSample, Tool } from './tool.ts';

const pen = ({ scene, pressure, time }: PointerSample): PenSample => ({ x: scene[0], y: scene[1], pressure, time });

/**
 * Draws a stroke on the live layer and hands it over when the pen is lifted.
 * @param erase takes from the selected segment instead of adding to it
 */
export function beginStroke(stage: Stage, at: PointerSample, erase: boolean): Gesture | undefined {
  const target = stage.painter.target();
  if (!target) return undefined;
  if (erase && target.kind === 'new') {
    stage.hint('canvas.hint.eraserNeedsSegment');
    return undefined;
  }
  const { zoom } = stage.viewport;
  const width = stage.view.brushSize;
  // a soft brush begins a segment with a soft edge; an existing one keeps its own
  const fresh = Math.round(((1 - stage.view.brushHardness) * width) / 2);
  const feather = target.kind === 'new' ? fresh : target.feather;
  const builder = new StrokeBuilder(zoom, width);
  const stroke: LiveStroke = {
    points: builder.points,
    width,
    colour: target.colour,
    erase,
    softness: feather / FEATHERS_PER_DEVIATION,
  };
  stage.painter.begin(target, erase);
  stage.live.stroke(stroke);
  stage.live.extend(stroke, builder.add([pen(at)]));
  return {
    move: (samples) => stage.live.extend(stroke, builder.add(samples.map(pen))),
    up: () => {
      stage.live.extend(stroke, builder.finish());
      const shape = strokeShape(width, builder.simplified());
      stage.painter.commit(target, shape, erase ? 'subtract' : 'add', erase ? 'edit.erase' : 'edit.stroke', {
        feather: fresh,
      });
    },
    cancel: () => stage.painter.cancel(),
  };
}

export const brushTool: Tool = {
  cursor: 'ring',
  down: (stage, at) => beginStroke(stage, at, false),
};
