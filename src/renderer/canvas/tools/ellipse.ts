import { boxTool } from './box-tool.ts';

export const ellipseTool = boxTool('ellipse', ({ x, y, width, height }) => ({
  kind: 'ellipse',
  op: 'add',
  cx: x + width / 2,
  cy: y + height / 2,
  rx: width / 2,
  ry: height / 2,
}));
