import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { electronBinary, fetchElectron, runElectron, whyNoWindow } from '../../scripts/desktop.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-desktop-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A package folder whose install.js does this. */
const installs = (script: string): void => writeFileSync(path.join(folder, 'install.js'), script);
const PLACES = `const fs = require('fs'), path = require('path');
fs.mkdirSync(path.join(__dirname, 'dist'));
fs.writeFileSync(path.join(__dirname, 'dist/electron'), '');
fs.writeFileSync(path.join(__dirname, 'path.txt'), 'electron\\n');`;

describe('whether a window can open', () => {
  test.each([
    ['linux', { DISPLAY: ':0' }, false, null],
    ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, false, null],
    ['linux', {}, false, /no screen/],
    ['linux', { DISPLAY: ':0' }, true, /for root/],
    ['darwin', {}, false, null],
    ['win32', {}, false, null],
  ] as const)('%s, %o, root %s', (platform, env, root, wanted) => {
    const reason = whyNoWindow({ platform, env, root });
    if (wanted === null) expect(reason).toBeNull();
    else expect(reason).toMatch(wanted);
  });
});

describe("Electron's binary", () => {
  test('fetched by the script of its package', async () => {
    installs(PLACES);
    expect(electronBinary(folder)).toBeNull();
    const said: string[] = [];
    const binary = await fetchElectron(folder, (line) => said.push(line));
    expect(binary).toBe(path.join(folder, 'dist/electron'));
    expect(electronBinary(folder)).toBe(binary);
    expect(said).toEqual([expect.stringMatching(/Fetching Electron, once/)]);
  });

  test.each([
    ["console.error('TypeError: fetch failed\\n    at somewhere'); process.exit(1);", '(TypeError: fetch failed)'],
    ['', '(it was not there)'],
  ])('not to be had: one line says why', async (script, wanted) => {
    installs(script);
    const said: string[] = [];
    expect(await fetchElectron(folder, (line) => said.push(line))).toBeNull();
    expect(said[1]).toContain(wanted);
    expect(said).toHaveLength(2);
  });

  test('a path without its file is none', () => {
    writeFileSync(path.join(folder, 'path.txt'), 'electron');
    mkdirSync(path.join(folder, 'dist'));
    expect(electronBinary(folder)).toBeNull();
  });
});

describe.skipIf(process.platform === 'win32')('running it', () => {
  const binaryThat = (shell: string): string => {
    const file = path.join(folder, 'electron');
    writeFileSync(file, `#!/bin/sh\n${shell}\n`);
    chmodSync(file, 0o755);
    return file;
  };

  test('its exit code is the studio’s; an end in the first moments with an error means that it never opened', async () => {
    expect(await runElectron(binaryThat('exit 0'), [])).toBe(0);
    expect(await runElectron(binaryThat('exit 3'), [])).toBeNull();
    expect(await runElectron(binaryThat('kill -TRAP $$'), [])).toBeNull();
    expect(await runElectron(path.join(folder, 'missing'), [])).toBeNull();
    expect(await runElectron(binaryThat('sleep 0.3; exit 3'), [], 100)).toBe(3);
  });

  test('Ctrl-C in the first moments ends it: no browser opens instead', async () => {
    const running = runElectron(binaryThat('trap "exit 1" INT; while :; do sleep 0.05; done'), []);
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.emit('SIGINT', 'SIGINT');
    expect(await running).toBe(130);
  });

  test('what is to be opened is passed on', async () => {
    expect(await runElectron(binaryThat('test "$1 $2" = "a b.spatext"'), ['a', 'b.spatext'])).toBe(0);
  });
});
