import { expect, test } from 'vitest';
import { nearness } from './command-search.ts';

test('a word that was typed begins a word of the name, or stands inside one', () => {
  expect(nearness('Models app.models', 'model')).toBeGreaterThan(0);
  expect(nearness('Mirror left and right segment.mirror', 'model')).toBe(0);
  expect(nearness('Unlock all', 'lock')).toBeGreaterThan(0);
  expect(nearness('Lock', 'lock')).toBeGreaterThan(nearness('Unlock all', 'lock'));
});

test('words come in any order, and each has to be there', () => {
  expect(nearness('Redo this segment', 'segment redo')).toBe(1);
  expect(nearness('Redo this segment', 'segment undo')).toBe(0);
  expect(nearness('Anything', '  ')).toBe(1);
});

test('a single letter begins a word', () => {
  expect(nearness('Zoom in', 'z')).toBeGreaterThan(0);
  expect(nearness('Resize', 'z')).toBe(0);
});

test('accents and case do not count', () => {
  expect(nearness('Segment LÖSCHEN', 'loschen')).toBe(1);
  expect(nearness('Größe', 'GRÖSSE')).toBe(0);
  expect(nearness('Größe', 'größ')).toBe(0.8);
});
