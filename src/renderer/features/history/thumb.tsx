import { Star } from 'lucide-react';
import type { ReactElement } from 'react';
import type { ResultSummary } from '#shared/api/generation.ts';
import { useT } from '../../app/i18n/texts.ts';
import type { Translate } from '../../app/i18n/texts.ts';
import { commandEntries } from '../../app/shell/use-command.ts';
import { useStudio, useView } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { RightClick } from '../../ui/menu.tsx';
import type { MenuEntry } from '../../ui/menu.tsx';
import { deleteResults, openAsItWas, showResult, toggleCompare, updateResult } from './actions.ts';
import { useResultName } from './result-names.ts';

/** A result as a small picture: click shows it, double click opens its scene again as it was. */
export function Thumb({ result }: { readonly result: ResultSummary }) {
  const studio = useStudio();
  const t = useT();
  const { shown, mark } = useView((view) => ({
    shown: view.shown.kind === 'result' && view.shown.id === result.id,
    mark: view.compare.indexOf(result.id),
  }));
  const name = useResultName(result);
  return (
    <ResultMenu result={result}>
      <div className="thumb-wrap">
        <button
          type="button"
          className="thumb"
          data-shown={shown}
          aria-pressed={shown}
          title={`${name}\n${result.text}`}
          onClick={(event) => {
            if (event.shiftKey || event.ctrlKey || event.metaKey) toggleCompare(studio, result.id);
            else showResult(studio, result);
          }}
          onDoubleClick={() => studio.attempt(() => openAsItWas(studio, result.id))}
          onKeyDown={(event) => {
            // Where a result has the focus, Delete means the result, not the selected segments.
            if (event.key !== 'Delete' && event.key !== 'Backspace') return;
            event.preventDefault();
            event.stopPropagation();
            studio.attempt(() => deleteResults(studio, [result.id]));
          }}
        >
          <img src={studio.blobUrl(result.picture)} alt={result.text} loading="lazy" draggable={false} />
          <span className="thumb-label ellipsis">{name}</span>
          {mark >= 0 ? <span className="thumb-mark">{'ABCD'[mark]}</span> : null}
        </button>
        <button
          type="button"
          className="thumb-star"
          aria-pressed={result.starred}
          aria-label={t(result.starred ? 'history.unstar' : 'history.star')}
          onClick={() => studio.attempt(() => updateResult(studio, { id: result.id, starred: !result.starred }))}
        >
          <Star fill={result.starred ? 'currentColor' : 'none'} />
        </button>
      </div>
    </ResultMenu>
  );
}

export function ResultMenu({ result, children }: { readonly result: ResultSummary; readonly children: ReactElement }) {
  const studio = useStudio();
  const t = useT();
  return (
    <RightClick onOpen={() => showResult(studio, result)} entries={() => resultEntries(studio, t)}>
      {children}
    </RightClick>
  );
}

function resultEntries(studio: Studio, t: Translate): MenuEntry[] {
  return commandEntries(
    studio,
    [
      'results.reopen',
      'results.newScene',
      'results.details',
      '-',
      'results.star',
      'results.mark',
      'results.compare',
      '-',
      'generate.variations',
      'generate.redoSegment',
      'generate.startPicture',
      'generate.upscale2',
      'generate.upscale4',
      '-',
      'scene.export',
      'results.delete',
    ],
    t,
  );
}
