import type { JobProgress } from '#shared/api/generation.ts';

const WORDS: Readonly<Record<JobProgress['phase'], string>> = {
  waiting: 'waiting',
  loading: 'loading the model',
  texts: 'reading the texts',
  prior: 'imagining the texts',
  map: 'drawing the map',
  denoise: 'denoising',
  decode: 'decoding',
  upscale: 'enlarging',
  score: 'looking at it',
  saving: 'saving',
};

/** Progress on stderr: one line that is written over on a terminal, a line per change of phase elsewhere. */
export function progressLine(label: string): { show: (progress: JobProgress) => void; end: () => void } {
  const terminal = process.stderr.isTTY;
  let last = '';
  let quarter = -1;
  return {
    show(progress) {
      const left = progress.secondsLeft === null ? '' : `, ${progress.secondsLeft.toFixed(1)} s left`;
      const counts = progress.passesTotal > 0 ? ` ${progress.passesDone} of ${progress.passesTotal} passes${left}` : '';
      const line = `${label}: ${WORDS[progress.phase]}${counts}`;
      if (terminal) {
        process.stderr.write(`\r\x1b[K${line}`);
        return;
      }
      const now = progress.passesTotal > 0 ? Math.floor((4 * progress.passesDone) / progress.passesTotal) : -1;
      if (progress.phase === last && now === quarter) return;
      if (progress.phase === last || progress.phase === 'denoise' || progress.phase === 'loading')
        process.stderr.write(`${line}\n`);
      last = progress.phase;
      quarter = now;
    },
    end() {
      if (terminal) process.stderr.write('\r\x1b[K');
    },
  };
}
