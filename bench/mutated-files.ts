// 10,000 mutated files of each format: every one is read or refused in words, none hangs.
//   node bench/mutated-files.ts [COUNT] [FORMAT...]: only these; the record keeps what it says of the others
import { readFileSync } from 'node:fs';
import { importMutated, samples } from '../test/fault/mutated-files.ts';
import { record } from './record.ts';

const COUNT = Number(process.argv[2] ?? 10_000);
const only = process.argv.slice(3);
const recorded = (): Record<string, unknown> =>
  (JSON.parse(readFileSync('bench/results/mutated-files.json', 'utf8')) as { figures: Record<string, unknown> })
    .figures;
const figures: Record<string, unknown> = only.length > 0 ? recorded() : {};
const before = Number(figures['peakMemoryMiB'] ?? 0);
let wrong = 0;
for (const sample of await samples()) {
  if (only.length > 0 && !only.includes(sample.name)) continue;
  const start = performance.now();
  const outcome = await importMutated(sample, COUNT, 1_000_000);
  const seconds = (performance.now() - start) / 1000;
  wrong += outcome.wrong.length;
  figures[sample.name] = {
    files: COUNT,
    read: outcome.read,
    refusedInWords: outcome.refused,
    wrong: outcome.wrong.slice(0, 5),
    seconds: Number(seconds.toFixed(1)),
    slowestMs: Math.round(outcome.slowestMs),
  };
}
record('mutated-files', 'node bench/mutated-files.ts', {
  ...figures,
  peakMemoryMiB: Math.max(before, Math.round(process.resourceUsage().maxRSS / 1024)),
});
process.exitCode = wrong > 0 ? 1 : 0;
