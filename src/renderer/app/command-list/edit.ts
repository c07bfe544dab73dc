import { segmentsOf } from '#shared/document/document.ts';
import {
  deleteSelected,
  duplicateSelected,
  groupSelected,
  selectedSegments,
  shiftSelected,
  toggleSelected,
  toggleSolo,
  ungroupSelected,
} from '../../features/segments/actions.ts';
import { addSegment } from '../../store/recipes.ts';
import type { Command } from '../commands.ts';
import { translate } from '../i18n/texts.ts';
import type { Studio } from '../studio.ts';

const hasSelection = (studio: Studio): boolean => selectedSegments(studio).length > 0;
const primary = (studio: Studio) => selectedSegments(studio).at(-1);

export const EDIT_COMMANDS: readonly Command[] = [
  {
    id: 'edit.undo',
    label: 'command.edit.undo',
    group: 'edit',
    shortcuts: ['Mod+Z'],
    enabled: (studio) => studio.document.getState().undo.length > 0,
    run: (studio) => void studio.document.undo(),
  },
  {
    id: 'edit.redo',
    label: 'command.edit.redo',
    group: 'edit',
    shortcuts: ['Mod+Shift+Z', 'Mod+Y'],
    enabled: (studio) => studio.document.getState().redo.length > 0,
    run: (studio) => void studio.document.redo(),
  },
  {
    id: 'edit.selectAll',
    label: 'command.edit.selectAll',
    group: 'edit',
    shortcuts: ['Mod+A'],
    run: (studio) => studio.view.select(segmentsOf(studio.document.getState().document).map((segment) => segment.id)),
  },
  {
    id: 'edit.escape',
    label: 'command.edit.escape',
    group: 'edit',
    shortcuts: ['Escape'],
    hidden: true,
    run: (studio) => {
      if (studio.view.getState().canvas?.cancelGesture()) return;
      studio.view.select([]);
    },
  },
];

export const SEGMENT_COMMANDS: readonly Command[] = [
  {
    id: 'segment.new',
    label: 'command.segment.new',
    group: 'segment',
    shortcuts: ['Alt+S'],
    run: (studio) => {
      studio.document.edit('edit.addSegment', (document) => {
        const [next, id] = addSegment(document, []);
        studio.view.select([id]);
        return next;
      });
      studio.view.setState({ tool: 'brush' });
    },
  },
  {
    id: 'segment.editText',
    label: 'command.segment.editText',
    group: 'segment',
    shortcuts: ['F2', 'Enter'],
    enabled: hasSelection,
    run: (studio) => {
      const segment = primary(studio);
      if (segment) studio.view.getState().canvas?.editText(segment.id);
    },
  },
  {
    id: 'segment.duplicate',
    label: 'command.segment.duplicate',
    group: 'segment',
    shortcuts: ['Mod+D'],
    enabled: hasSelection,
    run: duplicateSelected,
  },
  {
    id: 'segment.delete',
    label: 'command.segment.delete',
    group: 'segment',
    shortcuts: ['Delete', 'Backspace'],
    enabled: (studio) => selectedSegments(studio).some((segment) => !segment.locked),
    run: deleteSelected,
  },
  {
    id: 'segment.up',
    label: 'command.segment.up',
    group: 'segment',
    shortcuts: ['Mod+]', 'Alt+ArrowUp'],
    enabled: hasSelection,
    run: (studio) => shiftSelected(studio, 'up'),
  },
  {
    id: 'segment.down',
    label: 'command.segment.down',
    group: 'segment',
    shortcuts: ['Mod+[', 'Alt+ArrowDown'],
    enabled: hasSelection,
    run: (studio) => shiftSelected(studio, 'down'),
  },
  {
    id: 'segment.top',
    label: 'command.segment.top',
    group: 'segment',
    shortcuts: ['Alt+Shift+ArrowUp'],
    enabled: hasSelection,
    run: (studio) => shiftSelected(studio, 'top'),
  },
  {
    id: 'segment.bottom',
    label: 'command.segment.bottom',
    group: 'segment',
    shortcuts: ['Alt+Shift+ArrowDown'],
    enabled: hasSelection,
    run: (studio) => shiftSelected(studio, 'bottom'),
  },
  {
    id: 'segment.hide',
    label: 'command.segment.hide',
    group: 'segment',
    shortcuts: ['Mod+Shift+X'],
    enabled: hasSelection,
    checked: (studio) => primary(studio)?.visible === false,
    run: (studio) => toggleSelected(studio, 'visible'),
  },
  {
    id: 'segment.lock',
    label: 'command.segment.lock',
    group: 'segment',
    shortcuts: ['Mod+Shift+L'],
    enabled: hasSelection,
    checked: (studio) => primary(studio)?.locked === true,
    run: (studio) => toggleSelected(studio, 'locked'),
  },
  {
    id: 'segment.solo',
    label: 'command.segment.solo',
    group: 'segment',
    shortcuts: ['S'],
    enabled: (studio) => hasSelection(studio) || studio.view.getState().solo.length > 0,
    checked: (studio) => studio.view.getState().solo.length > 0,
    run: (studio) => toggleSolo(studio, selectedSegments(studio).map((segment) => segment.id)), // prettier-ignore
  },
  {
    id: 'segment.invert',
    label: 'command.segment.invert',
    group: 'segment',
    shortcuts: ['Mod+Shift+I'],
    enabled: hasSelection,
    checked: (studio) => primary(studio)?.invert === true,
    run: (studio) => toggleSelected(studio, 'invert'),
  },
  {
    id: 'segment.detail',
    label: 'command.segment.detail',
    group: 'segment',
    shortcuts: [],
    enabled: hasSelection,
    checked: (studio) => primary(studio)?.detail === true,
    run: (studio) => toggleSelected(studio, 'detail'),
  },
  {
    id: 'segment.group',
    label: 'command.segment.group',
    group: 'segment',
    shortcuts: ['Mod+G'],
    enabled: hasSelection,
    run: (studio) => groupSelected(studio, translate('segments.group')),
  },
  {
    id: 'segment.ungroup',
    label: 'command.segment.ungroup',
    group: 'segment',
    shortcuts: ['Mod+Shift+G'],
    enabled: (studio) => selectedSegments(studio).some((segment) => segment.group !== null),
    run: ungroupSelected,
  },
];
