// npm test: everything that can be checked here, fast things first; ends with one line that counts the tests.
// What this machine cannot run (no browser) is named, with the command that brings it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
const browser = process.env['SPATEXT_CHROMIUM'] ?? BROWSERS.find((file) => existsSync(file));

// Chromium brings a graphics card imitated by the processor: slow, but it checks the GPU path.
const softwareGpu = ['/usr/lib/chromium/vk_swiftshader_icd.json'].find((file) => existsSync(file));
const testEnv: NodeJS.ProcessEnv = {
  ...(browser ? { SPATEXT_CHROMIUM: browser } : {}),
  ...(softwareGpu && !process.env['VK_DRIVER_FILES'] ? { SPATEXT_SOFTWARE_GPU: softwareGpu } : {}),
};

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
let broken = false;

function step(title: string, command: string, args: string[], env: NodeJS.ProcessEnv = {}): void {
  const begin = performance.now();
  process.stdout.write(`\n== ${title}\n`);
  const { status } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env },
    shell: process.platform === 'win32',
  });
  process.stdout.write(
    `== ${title}: ${status === 0 ? 'good' : 'FAILED'} in ${((performance.now() - begin) / 1000).toFixed(1)} s\n`,
  );
  if (status !== 0) broken = true;
}

function vitest(title: string, args: string[]): void {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'spatext-test-'));
  const report = path.join(folder, 'report.json');
  step(
    title,
    'vitest',
    ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    testEnv,
  );
  try {
    const counted = JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
    };
    total.passed += counted.numPassedTests;
    total.failed += counted.numFailedTests;
    total.skipped += counted.numPendingTests;
  } catch {
    broken = true;
    process.stdout.write(`${title}: the runner left no report\n`);
  }
  rmSync(folder, { recursive: true, force: true });
}

step('formatting', 'oxfmt', ['--check']);
step('lint', 'oxlint', ['--deny-warnings']);
step('types', 'npm', ['run', '--silent', 'typecheck']);
vitest('unit tests', ['--project', 'unit']);
if (browser) {
  step('build of the interface', 'npm', ['run', '--silent', 'build:web']);
  vitest('end to end in a browser', ['--project', 'e2e']);
} else {
  process.stdout.write('\nLeft out: the end-to-end and visual tests, since no Chromium was found.\n');
  process.stdout.write('They come with: apt-get install chromium (or set SPATEXT_CHROMIUM to a browser).\n');
}

if (broken && total.failed === 0) total.failed = 1;
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = broken ? 1 : 0;
