import { beforeAll, describe, expect, it } from 'vitest';
import { readNumber } from '../ui/number-field.tsx';
import { formatBytes, formatSeconds } from './format.ts';
import { setLanguage, startTexts } from './i18n/texts.ts';
import { resolveMotion, resolveTheme } from './theme/theme.ts';

beforeAll(() => startTexts('en'));

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1_450_000, '1.5 MB'],
    [212_000_000, '212 MB'],
    [999_700_000, '1.0 GB'],
    [5_000_000_000, '5 GB'],
  ])('%d bytes', (bytes, words) => expect(formatBytes(bytes)).toBe(words));

  it.each([
    [1.234, '1.2 s'],
    [9.96, '10 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [7260, '2 h 01 min'],
  ])('%d seconds', (seconds, words) => expect(formatSeconds(seconds)).toBe(words));

  it('have the comma where it belongs', async () => {
    await setLanguage('de');
    expect(formatSeconds(1.2)).toBe('1,2 s');
    await setLanguage('en');
  });

  it('are read with point or comma, and nothing else', () => {
    expect(readNumber(' 1,5 ')).toBe(1.5);
    expect(readNumber('-.5')).toBe(-0.5);
    expect(readNumber('3.')).toBe(3);
    for (const text of ['', 'x', '1e5', '1,2,3', '0x10', '--1']) expect(readNumber(text), text).toBeNaN();
  });
});

describe('the system', () => {
  it('decides theme and motion unless the settings do', () => {
    expect(resolveTheme('system', { light: true, moreContrast: false })).toBe('light');
    expect(resolveTheme('system', { light: true, moreContrast: true })).toBe('high-contrast');
    expect(resolveTheme('dark', { light: true, moreContrast: true })).toBe('dark');
    expect(resolveMotion('system', true)).toBe('reduced');
    expect(resolveMotion('off', true)).toBe('full');
    expect(resolveMotion('on', false)).toBe('reduced');
  });
});
