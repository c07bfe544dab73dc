import type { Command } from '../app/commands.ts';
import type { Studio } from '../app/studio.ts';
import type { BooleanOp } from './edit/boolean.ts';
import { combineSelected } from './edit/combine-selected.ts';
import { mirroring, rotation, translation } from './geometry/affine.ts';
import type { Affine } from '#shared/document/geometry.ts';
import { centreOf } from './geometry/boxes.ts';
import type { Rect } from './geometry/boxes.ts';
import type { Stage } from './stage.ts';
import { transformSegments } from './transform-drag.ts';

type Direction = 'left' | 'right' | 'up' | 'down';
const STEPS: Readonly<Record<Direction, readonly [number, number]>> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
};
const KEYS: Readonly<Record<Direction, string>> = {
  left: 'ArrowLeft',
  right: 'ArrowRight',
  up: 'ArrowUp',
  down: 'ArrowDown',
};
const DIRECTIONS = ['left', 'right', 'up', 'down'] as const;

/** The commands that need the canvas; registered while it is there. */
export function canvasCommands(stage: Stage): readonly Command[] {
  const movable = (): ReturnType<Stage['movable']> => stage.movable();
  const canMove = (): boolean => movable().length > 0;
  const transform = (label: string, mapOf: (box: Rect) => Affine, extend?: string): void => {
    const ids = movable();
    const box = stage.scene.boundsOf(ids);
    if (box) transformSegments(stage, ids, mapOf(box), label, extend);
  };
  const nudge = (direction: Direction, far: boolean): Command => {
    const [dx, dy] = STEPS[direction];
    const pixels = far ? 10 : 1;
    return {
      id: `segment.nudge${far ? 'Far' : ''}.${direction}`,
      label: far ? `command.segment.nudgeFar.${direction}` : `command.segment.nudge.${direction}`,
      group: 'segment',
      shortcuts: [far ? `Shift+${KEYS[direction]}` : KEYS[direction]],
      hidden: true,
      enabled: canMove,
      run: () => transform('edit.nudge', () => translation(dx * pixels, dy * pixels), `nudge:${movable().join()}`),
    };
  };
  const combine = (op: BooleanOp, label: Command['label'], shortcut: string): Command => ({
    id: `segment.${op}`,
    label,
    group: 'segment',
    shortcuts: [shortcut],
    enabled: (studio: Studio) => studio.view.getState().selection.length > 1,
    run: () => combineSelected(stage, op),
  });
  const turn = (id: string, label: Command['label'], shortcut: string, mapOf: (box: Rect) => Affine, step: string): Command => ({ id, label, group: 'segment', shortcuts: [shortcut], enabled: canMove, run: () => transform(step, mapOf) }); // prettier-ignore
  return [
    combine('union', 'command.segment.union', 'Shift+U'),
    combine('subtract', 'command.segment.subtract', 'Shift+D'),
    combine('intersect', 'command.segment.intersect', 'Shift+I'),
    turn('segment.mirrorHorizontal', 'command.segment.mirrorHorizontal', 'Shift+H', (box) => mirroring('horizontal', centreOf(box)), 'edit.mirror'), // prettier-ignore
    turn('segment.mirrorVertical', 'command.segment.mirrorVertical', 'Shift+V', (box) => mirroring('vertical', centreOf(box)), 'edit.mirror'), // prettier-ignore
    turn('segment.turnRight', 'command.segment.turnRight', 'Shift+R', (box) => rotation(Math.PI / 2, centreOf(box)), 'edit.turn'), // prettier-ignore
    turn('segment.turnLeft', 'command.segment.turnLeft', 'Shift+T', (box) => rotation(-Math.PI / 2, centreOf(box)), 'edit.turn'), // prettier-ignore
    ...DIRECTIONS.flatMap((direction) => [nudge(direction, false), nudge(direction, true)]),
    {
      id: 'view.patterns',
      label: 'command.view.patterns',
      group: 'view',
      shortcuts: ['Shift+P'],
      checked: (studio) => studio.view.getState().showPatterns,
      run: (studio) => studio.view.setState(({ showPatterns }) => ({ showPatterns: !showPatterns })),
    },
  ];
}
