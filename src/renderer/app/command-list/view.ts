import { BRUSH_RANGE, TOOLS } from '../../store/view-store.ts';
import type { Tool, ViewState } from '../../store/view-store.ts';
import type { Command } from '../commands.ts';
import type { Studio } from '../studio.ts';

/** One key each, as painting programs have them. */
export const TOOL_KEYS: Readonly<Record<Tool, string>> = {
  select: 'V',
  brush: 'B',
  eraser: 'E',
  lasso: 'L',
  polygon: 'P',
  rect: 'R',
  ellipse: 'O',
  fill: 'F',
  edge: 'M',
  pan: 'H',
};

export const TOOL_COMMANDS: readonly Command[] = [
  ...TOOLS.map((tool): Command => ({
    id: `tool.${tool}`,
    label: `tool.${tool}`,
    group: 'tool',
    shortcuts: [TOOL_KEYS[tool]],
    checked: (studio) => studio.view.getState().tool === tool,
    run: (studio) => studio.view.setState({ tool }),
  })),
  brushStep('tool.brushSmaller', 'command.tool.brushSmaller', '[', 1 / 1.2),
  brushStep('tool.brushLarger', 'command.tool.brushLarger', ']', 1.2),
];

function brushStep(
  id: string,
  label: 'command.tool.brushSmaller' | 'command.tool.brushLarger',
  key: string,
  factor: number,
): Command {
  return {
    id,
    label,
    group: 'tool',
    shortcuts: [key],
    run: (studio) =>
      studio.view.setState(({ brushSize }) => {
        // At least one pixel, so that small brushes change too.
        const next =
          factor > 1 ? Math.max(brushSize + 1, brushSize * factor) : Math.min(brushSize - 1, brushSize * factor);
        return { brushSize: Math.round(Math.min(BRUSH_RANGE.max, Math.max(BRUSH_RANGE.min, next))) };
      }),
  };
}

const withCanvas = (studio: Studio): boolean => studio.view.getState().canvas !== null;
const flip =
  (field: 'modelsEye' | 'showOutlines' | 'showLabels') =>
  (studio: Studio): void =>
    studio.view.setState((state) => ({ [field]: !state[field] }));
const flipPanel =
  (panel: keyof ViewState['panels']) =>
  (studio: Studio): void =>
    studio.view.setState(({ panels }) => ({ panels: { ...panels, [panel]: !panels[panel] } }));

export const VIEW_COMMANDS: readonly Command[] = [
  {
    id: 'view.fit',
    label: 'command.view.fit',
    group: 'view',
    shortcuts: ['Mod+0', '0'],
    enabled: withCanvas,
    run: (studio) => studio.view.getState().canvas?.fit(),
  },
  {
    id: 'view.fitSelection',
    label: 'command.view.fitSelection',
    group: 'view',
    shortcuts: ['Shift+F'],
    enabled: (studio) => withCanvas(studio) && studio.view.getState().selection.length > 0,
    run: (studio) => studio.view.getState().canvas?.fitSelection(),
  },
  {
    id: 'view.actualSize',
    label: 'command.view.actualSize',
    group: 'view',
    shortcuts: ['Mod+1', '1'],
    enabled: withCanvas,
    run: (studio) => studio.view.getState().canvas?.zoomTo(1),
  },
  {
    id: 'view.zoomIn',
    label: 'command.view.zoomIn',
    group: 'view',
    shortcuts: ['Mod+=', 'Mod+Plus', '='],
    enabled: withCanvas,
    run: (studio) => studio.view.getState().canvas?.zoomBy(1.25),
  },
  {
    id: 'view.zoomOut',
    label: 'command.view.zoomOut',
    group: 'view',
    shortcuts: ['Mod+-', '-'],
    enabled: withCanvas,
    run: (studio) => studio.view.getState().canvas?.zoomBy(0.8),
  },
  {
    id: 'view.modelsEye',
    label: 'command.view.modelsEye',
    group: 'view',
    shortcuts: ['I'],
    checked: (studio) => studio.view.getState().modelsEye,
    run: flip('modelsEye'),
  },
  {
    id: 'view.outlines',
    label: 'command.view.outlines',
    group: 'view',
    shortcuts: ['Shift+O'],
    checked: (studio) => studio.view.getState().showOutlines,
    run: flip('showOutlines'),
  },
  {
    id: 'view.labels',
    label: 'command.view.labels',
    group: 'view',
    shortcuts: ['Shift+L'],
    checked: (studio) => studio.view.getState().showLabels,
    run: flip('showLabels'),
  },
  {
    id: 'view.place',
    label: 'command.view.place',
    group: 'view',
    shortcuts: ['X'],
    run: (studio) =>
      studio.view.setState(({ resultPlace }) => ({
        resultPlace: resultPlace === 'under' ? 'over' : resultPlace === 'over' ? 'split' : 'under',
      })),
  },
  {
    id: 'view.hidePicture',
    label: 'command.view.hidePicture',
    group: 'view',
    shortcuts: ['Shift+X'],
    enabled: (studio) => studio.view.getState().shown.kind !== 'none',
    run: (studio) => studio.view.setState({ shown: { kind: 'none' } }),
  },
  {
    id: 'view.rulers',
    label: 'command.view.rulers',
    group: 'view',
    shortcuts: ['Alt+Shift+L'],
    checked: (studio) => studio.session.getState().settings.showRulers,
    run: async (studio) => {
      const { settings } = studio.session.getState();
      studio.session.setState({
        settings: await studio.api.call('settings.set', { showRulers: !settings.showRulers }),
      });
    },
  },
  {
    id: 'view.left',
    label: 'command.view.left',
    group: 'view',
    shortcuts: ['Mod+B'],
    checked: (studio) => studio.view.getState().panels.left,
    run: flipPanel('left'),
  },
  {
    id: 'view.right',
    label: 'command.view.right',
    group: 'view',
    shortcuts: ['Mod+Alt+B'],
    checked: (studio) => studio.view.getState().panels.right,
    run: flipPanel('right'),
  },
  {
    id: 'view.bottom',
    label: 'command.view.bottom',
    group: 'view',
    shortcuts: ['Mod+J'],
    checked: (studio) => studio.view.getState().panels.bottom,
    run: flipPanel('bottom'),
  },
];
