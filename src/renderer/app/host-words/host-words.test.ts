import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTexts } from '../i18n/texts.ts';
import { deviceWords, hostWords, lossWords } from './host-words.ts';
import { MODEL_KEPT, MODEL_MESSAGES, MODEL_REMEDIES } from './sentences-models.de.ts';
import { KEPT, LOSSES, MESSAGES, REMEDIES } from './sentences.de.ts';

describe('what the host says', () => {
  beforeAll(() => startTexts('de'));
  afterAll(() => startTexts('en'));

  test('is told in German, with its values in their places', () => {
    expect(
      hostWords({
        message: 'this needs about 900 MB; 120 MB are free',
        kept: 'the scene, the other jobs and all finished pictures',
        remedy: 'close other programs, or choose a smaller canvas',
      }),
    ).toEqual({
      message: 'Dafür werden etwa 900 MB gebraucht; 120 MB sind frei',
      kept: 'die Szene, die anderen Aufträge und alle fertigen Bilder',
      remedy: 'andere Programme schließen oder eine kleinere Leinwand wählen',
    });
  });

  test('names devices and what a probe found', () => {
    expect(deviceWords('Processor, 8 threads')).toBe('Prozessor, 8 Threads');
    expect(deviceWords('Graphics card (WebGPU)')).toBe('Grafikkarte (WebGPU)');
    expect(deviceWords('works; test network in 3.1 ms')).toBe('läuft; Prüfnetz in 3.1 ms');
    expect(deviceWords('does not work here: its library is not installed')).toBe(
      'läuft hier nicht: die Bibliothek dazu ist nicht installiert',
    );
    // A processor's name is nobody's to translate.
    expect(deviceWords('AMD EPYC')).toBe('AMD EPYC');
  });

  test('holds sentences inside of sentences', () => {
    expect(hostWords({ message: 'the history cannot be opened: opening: the disk is full' }).message).toBe(
      'Der Verlauf lässt sich nicht öffnen: opening: der Datenträger ist voll',
    );
    expect(lossWords('the scene inside could not be read (not a PNG picture); only the layers were taken')).toBe(
      'die Szene darin war nicht lesbar (Das ist kein PNG-Bild); nur die Ebenen wurden übernommen',
    );
  });

  test('the closest form is taken', () => {
    const { message } = hostWords({ message: 'a.psd is open in another window or program (process 12)' });
    expect(message).toBe('a.psd ist in einem anderen Fenster oder Programm offen (Prozess 12)');
  });

  test('a sentence that is not known is shown as it came', () => {
    expect(hostWords({ message: 'something quite new' })).toEqual({ message: 'something quite new' });
  });

  test('is left alone in English', async () => {
    await startTexts('en');
    expect(hostWords({ message: 'the disk is full' }).message).toBe('the disk is full');
    await startTexts('de');
  });

  test('every part of a German sentence is one of the English', () => {
    const sentences = [MESSAGES, KEPT, REMEDIES, LOSSES, MODEL_MESSAGES, MODEL_KEPT, MODEL_REMEDIES];
    for (const [english, german] of sentences.flatMap((all) => Object.entries(all))) {
      const parts = english.split('{}').length - 1;
      const named = [...german.matchAll(/\{(\d)\}/g)].map(([, part]) => Number(part));
      expect(
        named.toSorted((a, b) => a - b),
        english,
      ).toEqual(Array.from({ length: parts }, (_, index) => index + 1));
    }
  });

  test('whatever the host itself keeps or advises has its German sentence', async () => {
    const folder = path.resolve(import.meta.dirname, '../../../host');
    const files = (await readdir(folder, { recursive: true })).filter((name) => /(?<!test|testkit)\.ts$/.test(name));
    const text = (await Promise.all(files.map((name) => readFile(path.join(folder, name), 'utf8')))).join('\n');
    const said = (field: string): string[] =>
      [...text.matchAll(new RegExp(`\\b${field}: '([^']+)'`, 'g'))].map(([, sentence]) => sentence ?? '');
    expect(said('kept').length + said('remedy').length).toBeGreaterThan(10);
    expect(said('kept').filter((sentence) => !(sentence in KEPT))).toEqual([]);
    expect(said('remedy').filter((sentence) => !(sentence in REMEDIES))).toEqual([]);
  });

  test('what a file is instead of a model, and what to do then, has its German sentence', async () => {
    const folder = path.resolve(import.meta.dirname, '../../../engine/checkpoints');
    const read = (name: string) => readFile(path.join(folder, name), 'utf8');
    const foreign = [...(await read('foreign.ts')).matchAll(/no\(\s*'([^']+)',\s*'([^']+)',?\s*\)/g)];
    const kinds = [...(await read('kinds.ts')).matchAll(/: \[\s*'([^']+)',\s*'([^']+)',?\s*\]/g)];
    expect([foreign.length, kinds.length]).toEqual([8, 14]);
    for (const [, what, remedy] of [...foreign, ...kinds]) {
      expect(`{} is ${what}` in MODEL_MESSAGES, what).toBe(true);
      // Whole models only are asked for by the window, which has words of its own for what belongs to one.
      if (!/^(choose it as the VAE|drop it while a model|it belongs to an IP-Adapter|drop pictures)/.test(remedy ?? ''))
        expect((remedy ?? '') in MODEL_REMEDIES, remedy).toBe(true);
    }
  });

  test('every loss of every format has its German sentence', async () => {
    const source = await readFile(path.resolve(import.meta.dirname, '../../../project/formats/losses.ts'), 'utf8');
    const losses = [...source.matchAll(/'([^'#.\n][^'\n]{19,})'/g)].map(([, loss]) => loss ?? '');
    expect(losses.length).toBeGreaterThan(10);
    expect(losses.filter((loss) => !(loss in LOSSES))).toEqual([]);
  });
});
