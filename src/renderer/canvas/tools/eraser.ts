import { beginStroke } from './brush.ts';
import type { Tool } from './tool.ts';

export const eraserTool: Tool = {
  cursor: 'ring',
  down: (stage, at) => beginStroke(stage, at, true),
};
