import { StrokeBuilder } from '../geometry/stroke.ts';
import type { PenSample } from '../geometry/stroke.ts';
import { strokeShape } from '../edit/add-shape.ts';
import { FEATHERS_PER_DEVIATION } from '#shared/masks/blur.ts';
import type { LiveStroke } from '../live/live-stroke.ts';
import type { Stage } from '../stage.ts';
import type { Gesture, PointerSample, Tool } from './tool.ts';

/** What the document holds. */
const FEATHER_MOST = 512;

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
  const feather = Math.min(FEATHER_MOST, Math.round(((1 - stage.view.brushHardness) * width) / 2));
  // the segment's own feather softens what is already soft: deviations add up as squares
  const shown = target.kind === 'new' ? feather : Math.hypot(feather, target.feather);
  const builder = new StrokeBuilder(zoom, width);
  const stroke: LiveStroke = {
    points: builder.points,
    width,
    colour: target.colour,
    erase,
    softness: shown / FEATHERS_PER_DEVIATION,
  };
  stage.painter.begin(target, erase);
  stage.live.stroke(stroke);
  stage.live.extend(stroke, builder.add([pen(at)]));
  return {
    move: (samples) => stage.live.extend(stroke, builder.add(samples.map(pen))),
    up: () => {
      stage.live.extend(stroke, builder.finish());
      const shape = strokeShape(width, builder.simplified(), feather);
      stage.painter.commit(target, shape, erase ? 'subtract' : 'add', erase ? 'edit.erase' : 'edit.stroke');
    },
    cancel: () => stage.painter.cancel(),
  };
}

export const brushTool: Tool = {
  cursor: 'ring',
  down: (stage, at) => beginStroke(stage, at, false),
};
