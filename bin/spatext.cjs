#!/usr/bin/env node
// The command line. The sources run as they are on Node 22.18 and newer; an older Node hands over to the one that
// came with the dependencies.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 18)) void import('../src/cli/run.ts');
else {
  const { spawnSync } = require('node:child_process');
  const { createRequire } = require('node:module');
  const path = require('node:path');
  let node;
  try {
    node = path.join(path.dirname(createRequire(__filename).resolve('node/package.json')), 'bin', 'node');
  } catch {
    process.stderr.write('spatext: needs Node 22.18 or newer, or its own dependencies (npm ci)\n');
    process.exit(1);
  }
  const { status, signal } = spawnSync(node, [__filename, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(signal ? 130 : (status ?? 1));
}
