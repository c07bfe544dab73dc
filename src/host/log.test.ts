import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Log } from './log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('Log', () => {
  it('keeps entries in memory and in a file', () => {
    const file = path.join(folder, 'logs', 'studio.log');
    const echoed: string[] = [];
    const log = new Log(file, (entry) => echoed.push(entry.message));
    log.info('one');
    log.warning('two');
    log.error('three');
    expect(log.recent().map(({ level, message }) => [level, message])).toEqual([
      ['info', 'one'],
      ['warning', 'two'],
      ['error', 'three'],
    ]);
    expect(readFileSync(file, 'utf8').split('\n').length).toBe(4);
    expect(echoed).toEqual(['one', 'two', 'three']);
  });

  it('makes one line of what tries to be two', () => {
    const file = path.join(folder, 'studio.log');
    new Log(file).warning('refused /x\n2026-01-01 info all is well\u001b[2J');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.length).toBe(1);
    expect(lines[0]).not.toContain('\u001b');
  });

  it('cuts long entries and forgets old ones', () => {
    const log = new Log(null);
    log.info('x'.repeat(10_000));
    expect(log.recent()[0]?.message.length).toBe(2000);
    for (let index = 0; index < 600; index += 1) log.info(String(index));
    expect(log.recent().length).toBe(500);
    expect(log.recent().at(-1)?.message).toBe('599');
  });

  it('turns the file over before it grows large', () => {
    const file = path.join(folder, 'studio.log');
    const log = new Log(file);
    for (let index = 0; index < 700; index += 1) log.info('y'.repeat(1900));
    expect(statSync(file).size).toBeLessThan(1_000_001);
    expect(statSync(`${file}.1`).size).toBeGreaterThan(900_000);
  });

  it('never throws over its file', () => {
    const inTheWay = path.join(folder, 'file');
    writeFileSync(inTheWay, '');
    const log = new Log(path.join(inTheWay, 'studio.log'));
    log.error('kept in memory');
    expect(log.recent().length).toBe(1);
  });
});
