import type { Command } from '../commands.ts';
import { APP_COMMANDS } from './app.ts';
import { EDIT_COMMANDS, SEGMENT_COMMANDS } from './edit.ts';
import { GENERATE_COMMANDS, RESULT_COMMANDS } from './generate.ts';
import { SCENE_COMMANDS } from './scene.ts';
import { TOOL_COMMANDS, VIEW_COMMANDS } from './view.ts';

export const ALL_COMMANDS: readonly Command[] = [
  ...SCENE_COMMANDS,
  ...EDIT_COMMANDS,
  ...SEGMENT_COMMANDS,
  ...TOOL_COMMANDS,
  ...VIEW_COMMANDS,
  ...GENERATE_COMMANDS,
  ...RESULT_COMMANDS,
  ...APP_COMMANDS,
];
