// The real Electron, where its binary was fetched (npx install-electron): the sandbox as a hostile page would find it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { _electron } from 'playwright-core';
import type { ElectronApplication, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { electronBinary } from '../../scripts/desktop.ts';
// Brings the type of window.spatext.
import type {} from '../../src/renderer/app/bridge.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

const binary = electronBinary(path.join(ROOT, 'node_modules/electron'));

describe.skipIf(binary === null)('the desktop studio in Electron', () => {
  let app: ElectronApplication;
  let page: Page;
  let data: string;

  beforeAll(async () => {
    const builder = path.join(ROOT, 'node_modules/electron-vite/bin/electron-vite.js');
    const built = spawnSync(process.execPath, [builder, 'build', '--logLevel', 'warn'], { cwd: ROOT });
    expect(built.status).toBe(0);
    data = mkdtempSync(path.join(os.tmpdir(), 'spatext-electron-'));
    app = await _electron.launch({
      executablePath: binary ?? '',
      args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), ROOT, `--data=${data}`],
    });
    page = await app.firstWindow();
    await page.waitForFunction(() => document.querySelector('#root')?.childElementCount !== 0);
  });
  afterAll(async () => {
    await app?.close();
    if (data) rmSync(data, { recursive: true, force: true });
  });

  it('shows its page with nothing of Node in it', async () => {
    expect(page.url()).toBe('spatext://app/');
    expect(
      await page.evaluate(() => {
        const names = ['require', 'process', 'module', 'Buffer', 'electron', 'ipcRenderer'];
        return names.filter((name) => name in globalThis);
      }),
    ).toEqual([]);
    expect(await page.evaluate(() => Object.keys(window.spatext ?? {}).toSorted())).toEqual(['call', 'on', 'platform']);
  });

  it('answers calls and refuses others with a typed error', async () => {
    const info = await page.evaluate(() => window.spatext?.call('app.info', {}));
    expect(info).toMatchObject({ ok: true, output: { shell: 'electron', dialogs: true } });
    const refused = await page.evaluate(() => window.spatext?.call('results.get', { id: 'no id' }));
    expect(refused).toMatchObject({ ok: false, error: { code: 'bad-input' } });
    await expect(page.evaluate(() => window.spatext?.call('app.quit' as 'app.info', {}))).rejects.toThrow(/no call/);
  });

  it('makes a picture', async () => {
    const id = await page.evaluate(async () => {
      const bridge = window.spatext;
      if (!bridge) throw new Error('no bridge');
      const done = new Promise<string>((resolve) => {
        bridge.on('result.added', (payload) => resolve((payload as { result: { id: string } }).result.id));
      });
      const current = await bridge.call('document.current', {});
      if (!current.ok) throw new Error(current.error.message);
      const { records } = current.output as { records: unknown };
      await bridge.call('generate.start', { records });
      return done;
    });
    expect(id).toMatch(/^result-/);
  });

  it.each(['https://example.org/', 'file:///etc/passwd', 'data:text/html,x', 'spatext://evil/'])(
    'cannot be led to %s',
    async (url) => {
      await page.evaluate((target) => {
        location.href = target;
      }, url);
      await page.waitForTimeout(300);
      expect(page.url()).toBe('spatext://app/');
      expect(await page.evaluate((target) => window.open(target) === null, url)).toBe(true);
      expect(app.windows().length).toBe(1);
    },
  );

  it('cannot load anything from elsewhere, run text, or be asked for permissions', async () => {
    expect(
      await page.evaluate(async () => ({
        fetched: await fetch('https://example.org/').then(
          () => true,
          () => false,
        ),
        file: await fetch('spatext://app/..%2f..%2fpackage.json').then((response) => response.status),
        evaluated: ((): boolean => {
          try {
            // oxlint-disable-next-line no-implied-eval, no-new-func
            return (new Function('return true') as () => boolean)();
          } catch {
            return false;
          }
        })(),
        camera: await navigator.mediaDevices.getUserMedia({ video: true }).then(
          () => true,
          () => false,
        ),
      })),
    ).toEqual({ fetched: false, file: 403, evaluated: false, camera: false });
  });

  it('brings a crashed page back with its scene', async () => {
    const before = await page.evaluate(() => window.spatext?.call('document.current', {}));
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer());
    await expect.poll(() => app.windows().length).toBe(1);
    const again = app.windows()[0] ?? page;
    await again.waitForFunction(() => document.querySelector('#root')?.childElementCount !== 0);
    const after = await again.evaluate(() => window.spatext?.call('document.current', {}));
    expect(after).toMatchObject({ ok: true });
    if (before?.ok && after?.ok) expect((after.output as { id: string }).id).toBe((before.output as { id: string }).id);
  });
});
