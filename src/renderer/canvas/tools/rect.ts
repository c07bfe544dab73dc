import { boxTool } from './box-tool.ts';

export const rectTool = boxTool('rect', (box) => ({ kind: 'rect', op: 'add', ...box }));
