import type { Evaluation } from './evaluate.ts';
import type { Figures } from './figures.ts';
import type { Estimate } from './statistics.ts';

const shown = (estimate: Estimate | null): string =>
  estimate ? `${estimate.value.toFixed(3)} [${estimate.low.toFixed(3)}, ${estimate.high.toFixed(3)}]` : '';

const COLUMNS: readonly (readonly [string, (figures: Figures) => string])[] = [
  ['pictures', (f) => (f.samples > 0 ? String(f.samples) : '')],
  ['segments', (f) => String(f.segments)],
  ['global distance (less is better)', (f) => shown(f.globalDistance)],
  ['local distance (less is better)', (f) => shown(f.localDistance)],
  ['top-1', (f) => shown(f.top1)],
  ['top-5', (f) => shown(f.top5)],
  ['local IoU', (f) => shown(f.localIou)],
];

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // A column in which nothing was measured says nothing.
  const used = head.map((_, i) => i === 0 || rows.some((row) => row[i]));
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .filter((_, i) => used[i])
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The evaluation as Markdown: the bounds and the sets in one table, then each set split up. */
export function evaluationTable(evaluation: Evaluation): string {
  const parts: string[] = [];
  const notes = [`Judge: ${evaluation.encoder}, ${evaluation.candidates} candidate texts.`];
  notes.push('Values are means with 95 % intervals (bootstrap over scenes).');
  if (evaluation.segmenter) notes.push(`Segmenter: ${evaluation.segmenter}.`);
  const { reference } = evaluation;
  if (reference)
    notes.push(
      `Fréchet and kernel distance in the judge's ${reference.width} features, against ${reference.pictures} pictures.` +
        (evaluation.sets.some(({ distribution }) => distribution && distribution.pictures < 2 * reference.width)
          ? ' The Fréchet distance is too large for so few pictures; compare sets of the same size, or trust the kernel distance.'
          : ''),
    );
  parts.push(notes.join(' '));

  const row = (name: string, figures: Figures, extra: readonly string[] = ['', '']): string[] => [
    name,
    ...COLUMNS.map(([, cell]) => cell(figures)),
    ...extra,
  ];
  const head = ['', ...COLUMNS.map(([name]) => name), 'Fréchet distance', 'kernel distance'];
  const rows: string[][] = [];
  if (evaluation.truth) rows.push(row('true pictures (upper bound)', evaluation.truth.figures));
  for (const { name, figures, distribution } of evaluation.sets)
    rows.push(
      row(name, figures, distribution ? [distribution.frechet.toFixed(3), distribution.kernel.toFixed(5)] : ['', '']),
    );
  for (const { name, shuffled } of evaluation.sets) rows.push(row(`${name}, texts shuffled (lower bound)`, shuffled));
  parts.push(markdown(head, rows));

  for (const { name, byCount, byArea, difference } of evaluation.sets) {
    const title = evaluation.sets.length > 1 ? `### ${name}\n\n` : '';
    const splits = [...byCount, ...byArea].map(({ label, figures }) => row(label, figures));
    if (splits.length > 0) parts.push(title + markdown(head, splits));
    if (difference) {
      const measured: [string, Estimate | null][] = [
        ['global distance', difference.globalDistance],
        ['local distance', difference.localDistance],
        ['local IoU', difference.localIou],
      ];
      const told = measured.flatMap(([what, value]) => (value ? [`${what} ${signed(value)}`] : []));
      parts.push(
        `${name} less ${evaluation.sets[0]?.name ?? ''}, paired on ${difference.samples} common scenes: ${told.join(', ')}.`,
      );
    }
  }
  return `${parts.join('\n\n')}\n`;
}

const signed = ({ value, low, high }: Estimate): string => {
  const n = (v: number): string => `${v < 0 ? '' : '+'}${v.toFixed(3)}`;
  return `${n(value)} [${n(low)}, ${n(high)}]${low <= 0 && high >= 0 ? ' (not told apart)' : ''}`;
};
