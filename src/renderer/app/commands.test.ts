import { beforeAll, describe, expect, it, vi } from 'vitest';
import { StudioError } from '#shared/errors.ts';
import { canvasCommands } from '../canvas/canvas-commands.ts';
import { ALL_COMMANDS } from './command-list/all.ts';
import { createCommandRegistry } from './commands.ts';
import { startTexts } from './i18n/texts.ts';
import { commandFor } from './keyboard.ts';
import type { KeyPlace } from './keyboard.ts';
import { matchesShortcut, parseShortcut, shortcutParts } from './shortcuts.ts';
import { result, testStudio } from './studio.testkit.ts';

beforeAll(() => startTexts('en'));

const press = (key: string, mods: { ctrl?: boolean; meta?: boolean; shift?: boolean; alt?: boolean } = {}) => ({
  key,
  ctrlKey: mods.ctrl ?? false,
  metaKey: mods.meta ?? false,
  shiftKey: mods.shift ?? false,
  altKey: mods.alt ?? false,
});
const CANVAS: KeyPlace = { text: false, documentText: false, control: false };
const TEXT: KeyPlace = { text: true, documentText: false, control: true };

describe('shortcuts', () => {
  it('know Ctrl here and Cmd on a Mac', () => {
    const save = parseShortcut('Mod+S');
    expect(matchesShortcut(press('s', { ctrl: true }), save, false)).toBe(true);
    expect(matchesShortcut(press('s', { meta: true }), save, true)).toBe(true);
    expect(matchesShortcut(press('s', { meta: true }), save, false)).toBe(false);
    expect(matchesShortcut(press('s', { ctrl: true, shift: true }), save, false)).toBe(false);
    expect(matchesShortcut(press('s', { ctrl: true, alt: true }), save, false)).toBe(false);
  });

  it('find signs that some layouts reach with Shift', () => {
    expect(matchesShortcut(press('?', { shift: true }), parseShortcut('?'), false)).toBe(true);
    expect(matchesShortcut(press('+', { ctrl: true, shift: true }), parseShortcut('Mod+Plus'), false)).toBe(true);
  });

  it('are written as the platform writes them', () => {
    expect(shortcutParts('Mod+Shift+Enter', false)).toEqual(['Ctrl', 'Shift', '↵']);
    expect(shortcutParts('Mod+Alt+B', true)).toEqual(['⌘', '⌥', 'B']);
  });
});

describe('all commands', () => {
  it('have ids of their own, and no shortcut twice', () => {
    // The canvas adds its own while it is mounted; making them only needs something to close over.
    const all = [...ALL_COMMANDS, ...canvasCommands({} as never)];
    const ids = all.map((command) => command.id);
    expect(new Set(ids).size).toBe(ids.length);
    const shortcuts = all
      .flatMap((command) => command.shortcuts ?? [])
      .map((text) => JSON.stringify(parseShortcut(text)));
    expect(shortcuts.filter((one, index) => shortcuts.indexOf(one) !== index)).toEqual([]);
  });

  it('can all be asked whether they are possible, on an empty studio too', () => {
    const { studio } = testStudio();
    studio.commands.add(ALL_COMMANDS);
    for (const command of ALL_COMMANDS) {
      expect(typeof studio.commands.enabled(command.id), command.id).toBe('boolean');
      if (command.checked) expect(typeof command.checked(studio), command.id).toBe('boolean');
    }
  });

  it('go by keys, and leave text fields alone', () => {
    expect(commandFor(press('b'), ALL_COMMANDS, CANVAS, false)?.id).toBe('tool.brush');
    expect(commandFor(press('b'), ALL_COMMANDS, TEXT, false)).toBeUndefined();
    expect(commandFor(press('Enter', { ctrl: true }), ALL_COMMANDS, TEXT, false)?.id).toBe('generate.start');
    expect(commandFor(press('z', { ctrl: true }), ALL_COMMANDS, TEXT, false)).toBeUndefined();
    const field = { ...TEXT, documentText: true };
    expect(commandFor(press('z', { ctrl: true }), ALL_COMMANDS, field, false)?.id).toBe('edit.undo');
    expect(commandFor(press('a', { ctrl: true }), ALL_COMMANDS, field, false)).toBeUndefined();
  });

  it('leave Enter to a focused button', () => {
    expect(commandFor(press('Enter'), ALL_COMMANDS, CANVAS, false)?.id).toBe('segment.editText');
    expect(commandFor(press('Enter'), ALL_COMMANDS, { ...CANVAS, control: true }, false)).toBeUndefined();
  });
});

describe('running', () => {
  it('acts on the selection, as one step', () => {
    const { studio } = testStudio();
    studio.commands.add(ALL_COMMANDS);
    expect(studio.commands.run('segment.delete')).toBe(false);
    studio.view.select(['segment:fox']);
    expect(studio.commands.run('segment.duplicate')).toBe(true);
    expect(studio.view.getState().selection).toHaveLength(1);
    expect(studio.view.getState().selection[0]).not.toBe('segment:fox');
    studio.commands.run('segment.delete');
    studio.commands.run('edit.undo');
    studio.commands.run('edit.undo');
    expect(studio.document.getState().undo).toHaveLength(0);
    expect(Object.keys(studio.document.getState().document)).toHaveLength(5);
  });

  it('does not delete what is locked', () => {
    const { studio } = testStudio();
    studio.commands.add(ALL_COMMANDS);
    studio.view.select(['segment:fox', 'segment:tent']);
    studio.view.select(['segment:fox']);
    studio.commands.run('segment.lock');
    studio.view.select(['segment:tent', 'segment:fox']);
    studio.commands.run('segment.delete');
    expect(studio.document.getState().document['segment:fox']).toBeDefined();
    expect(studio.document.getState().document['segment:tent']).toBeUndefined();
  });

  it('groups and ungroups', () => {
    const { studio } = testStudio();
    studio.commands.add(ALL_COMMANDS);
    studio.view.select(['segment:fox', 'segment:tent']);
    studio.commands.run('segment.group');
    const group = Object.values(studio.document.getState().document).find((record) => record.type === 'group');
    expect(studio.document.getState().document['segment:fox']).toMatchObject({ group: group?.id });
    studio.commands.run('segment.ungroup');
    expect(Object.values(studio.document.getState().document).some((record) => record.type === 'group')).toBe(false);
  });

  it('turns a failure into a notice, and keeps silent about a cancellation', async () => {
    const { studio } = testStudio();
    const registry = createCommandRegistry(() => studio);
    registry.add([
      { id: 'x.fail', label: 'app.name', group: 'app', run: () => Promise.reject(new Error('it broke')) },
      { id: 'x.throw', label: 'app.name', group: 'app', run: () => { throw new Error('at once'); } }, // prettier-ignore
    ]);
    registry.run('x.fail');
    registry.run('x.throw');
    await vi.waitFor(() =>
      expect(
        studio.session
          .getState()
          .notices.map((notice) => notice.message)
          .toSorted(),
      ).toEqual(['at once', 'it broke']),
    );
    expect(() => registry.add([{ id: 'x.fail', label: 'app.name', group: 'app', run: () => undefined }])).toThrow(
      /x.fail/,
    );
  });

  it('calls segments by their names in what the host says', () => {
    const { studio } = testStudio();
    studio.report(new StudioError('unsupported', 'segment:fox is filled by a picture, segment:gone is not there'));
    expect(studio.session.getState().notices[0]?.message).toBe(
      '“a fox” is filled by a picture, segment:gone is not there',
    );
  });

  it('redoes a segment only of a result, and by name', async () => {
    const { studio, host } = testStudio();
    studio.commands.add(ALL_COMMANDS);
    studio.view.select(['segment:tent']);
    expect(studio.commands.enabled('generate.redoSegment')).toBe(false);
    const shown = result('r');
    studio.session.putResult(shown);
    studio.view.setState({ shown: { kind: 'result', id: shown.id, picture: shown.picture } });
    expect(studio.commands.run('generate.redoSegment')).toBe(true);
    await vi.waitFor(() => expect(host.sent('generate.start')).toHaveLength(1));
    expect(host.sent('generate.start')[0]).toMatchObject({
      purpose: { kind: 'redo-segment', segment: 'segment:tent', picture: shown.picture },
      parents: [shown.id],
    });
  });
});
