import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { de } from './de.ts';
import { en } from './en.ts';
import { labelText, resolveLanguage, setLanguage, startTexts, translate } from './texts.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const sources = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.tsx?$/.test(file) && !/\.(test|testkit)\.|(^|\/)i18n\//.test(file))
  .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
  .join('\n');

const PLURAL = /_(one|other)$/;
const keys = Object.keys(en);
const bases = [...new Set(keys.map((key) => key.replace(PLURAL, '')))];

/** Keys written whole, and the beginnings and ends of those made from a template. */
const quoted = new Set([...sources.matchAll(/['"`]([a-z][A-Za-z]*\.[A-Za-z0-9.-]+)['"`]/g)].map((match) => match[1]!));
const templates = [...sources.matchAll(/`([a-z][A-Za-z]*\.[A-Za-z0-9.-]*)\$\{[^`]*?\}([A-Za-z0-9.-]*)`/g)].map(
  (match) => ({ start: match[1]!, end: match[2]! }),
);
const isUsed = (key: string): boolean =>
  quoted.has(key) ||
  templates.some(({ start, end }) => key.startsWith(start) && key.endsWith(end) && key.length > start.length);

const holes = (text: string): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]!).toSorted();

describe('the catalogue', () => {
  it('has the same keys in all languages', () => {
    expect(Object.keys(de).toSorted()).toEqual(keys.toSorted());
  });

  it('fills in the same values in all languages', () => {
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect(holes(de[key]), key).toEqual(holes(en[key]));
  });

  it('has no empty text and no text left in English', () => {
    const same = (Object.keys(en) as (keyof typeof en)[]).filter((key) => en[key] === de[key]);
    for (const key of keys as (keyof typeof en)[]) expect(de[key].trim(), key).not.toBe('');
    // What may be alike: names, units, symbols and words that are the same in German.
    const international =
      /^(\W|\{\{\w+\}\}|px|DPM|Sampler|Text|text|Name|Live|Format|Segment|Group|LoRA|LCM|SDXL|Stable Diffusion \d|SpaText.*|Threads?|Ctrl|Import|import|sampler|Seed|History|Studio|Lasso|Zoom|Polygon|Ellipse|Export|Position|Normal)*$/i;
    expect(same.filter((key) => !international.test(en[key])).map((key) => `${key}: ${en[key]}`)).toEqual([]);
  });

  it('has both plural forms of what it counts', () => {
    for (const key of keys.filter((one) => PLURAL.test(one))) {
      const base = key.replace(PLURAL, '');
      expect(keys, key).toContain(`${base}_one`);
      expect(keys, key).toContain(`${base}_other`);
    }
  });

  it('holds no key that nobody uses', () => {
    expect(bases.filter((key) => !isUsed(key))).toEqual([]);
  });

  it('has every key that is asked for', () => {
    const asked = [...sources.matchAll(/\bt(?:ranslate)?\(\s*'([^']+)'/g)].map((match) => match[1]!);
    expect(asked.length).toBeGreaterThan(200);
    expect(asked.filter((key) => !bases.includes(key))).toEqual([]);
    const labels = [...sources.matchAll(/\.edit\(\s*'(edit\.[^']+)'/g)].map((match) => match[1]!);
    expect(labels.length).toBeGreaterThan(10);
    expect(labels.filter((key) => !bases.includes(key))).toEqual([]);
  });
});

describe('texts', () => {
  beforeAll(() => startTexts('en'));

  it('counts', () => {
    expect(translate('history.count', { count: 1 })).toBe('1 result');
    expect(translate('history.count', { count: 3 })).toBe('3 results');
  });

  it('changes language', async () => {
    await setLanguage('de');
    expect(translate('history.count', { count: 3 })).toBe('3 Ergebnisse');
    await setLanguage('en');
  });

  it('words an undo step, also one of a later release', () => {
    expect(labelText('edit.weight')).toBe('weight');
    expect(labelText('a label of tomorrow')).toBe('a label of tomorrow');
  });

  it('follows the system unless told otherwise', () => {
    expect(resolveLanguage('system', 'de-AT')).toBe('de');
    expect(resolveLanguage('system', 'fr-FR')).toBe('en');
    expect(resolveLanguage('en', 'de-DE')).toBe('en');
  });
});
