import type { Tool as ToolName } from '../../store/view-store.ts';
import { brushTool } from './brush.ts';
import { edgeTool } from './edge.ts';
import { ellipseTool } from './ellipse.ts';
import { eraserTool } from './eraser.ts';
import { fillTool } from './fill.ts';
import { lassoTool } from './lasso.ts';
import { panTool } from './pan.ts';
import { PolygonTool } from './polygon.ts';
import { rectTool } from './rect.ts';
import { selectTool } from './select.ts';
import type { Tool } from './tool.ts';

/** One tool of each name; made for each canvas, since some remember what several presses have begun. */
export const createTools = (): Readonly<Record<ToolName, Tool>> => ({
  select: selectTool,
  brush: brushTool,
  eraser: eraserTool,
  lasso: lassoTool,
  polygon: new PolygonTool(),
  rect: rectTool,
  ellipse: ellipseTool,
  fill: fillTool,
  edge: edgeTool,
  pan: panTool,
});
