import { Columns2, FilePlus2, RotateCcw, Star, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { CallOutput } from '#shared/api/calls.ts';
import type { ResultSummary } from '#shared/api/generation.ts';
import { segmentName, toDocument } from '#shared/document/document.ts';
import { formatDate, formatNumber, formatSeconds } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio, useView } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Section } from '../../ui/parts.tsx';
import { openAsItWas, openAsNewScene, toggleCompare, updateResult } from './actions.ts';

/** One result's details in a dialog of its own. */
export function ResultDialog({ id, onClose }: { readonly id: ResultSummary['id']; readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const result = studio.session.getState().results.find((one) => one.id === id);
  return (
    <Dialog title={t('history.details')} onClose={onClose} size="s">
      {result ? <ResultDetail result={result} /> : <p className="dialog-body">{t('history.gone')}</p>}
    </Dialog>
  );
}

/** What is known of a result, and what the artist says about it. */
export function ResultDetail({ result, onBoards }: { readonly result: ResultSummary; readonly onBoards?: () => void }) {
  const studio = useStudio();
  const t = useT();
  const mark = useView((view) => view.compare.indexOf(result.id));
  const [full, setFull] = useState<CallOutput<'results.get'> | null>(null);
  const [note, setNote] = useState(result.note);
  const noted = useRef({ typed: result.note, kept: result.note });
  useEffect(() => {
    studio.attempt(async () => setFull(await studio.api.call('results.get', { id: result.id })));
  }, [studio, result.id]);
  const update = (change: Omit<Parameters<typeof updateResult>[1], 'id'>): void =>
    studio.attempt(async () => {
      await updateResult(studio, { id: result.id, ...change });
      onBoards?.();
    });
  const keepNote = (): void => {
    const { typed, kept } = noted.current;
    if (typed === kept) return;
    noted.current.kept = typed;
    update({ note: typed });
  };
  const keepLast = useRef(keepNote);
  useEffect(() => {
    keepLast.current = keepNote;
  });
  // Closing the dialog takes the field away before it loses the focus: what was typed is kept all the same.
  useEffect(() => () => keepLast.current(), []);
  const open = (how: typeof openAsItWas): void =>
    studio.attempt(async () => {
      await how(studio, result.id);
      studio.view.openDialog(null);
    });
  const milliseconds = Object.values(result.timings).reduce((sum, value) => sum + value, 0);
  return (
    <div className="detail scroll">
      <img className="detail-picture" src={studio.blobUrl(result.picture)} alt={result.text} />
      <div className="detail-buttons">
        <Button onClick={() => open(openAsItWas)}>
          <RotateCcw /> {t('history.reopen')}
        </Button>
        <Button onClick={() => open(openAsNewScene)}>
          <FilePlus2 /> {t('history.newScene')}
        </Button>
        <Button aria-pressed={mark >= 0} onClick={() => toggleCompare(studio, result.id)}>
          <Columns2 /> {mark >= 0 ? t('history.marked', { letter: 'ABCD'[mark] ?? '' }) : t('history.mark')}
        </Button>
        <Button aria-pressed={result.starred} onClick={() => update({ starred: !result.starred })}>
          <Star fill={result.starred ? 'currentColor' : 'none'} />{' '}
          {t(result.starred ? 'history.unstar' : 'history.star')}
        </Button>
      </div>
      {full ? <Scores full={full} /> : null}
      <Section title={t('history.note')}>
        <textarea
          className="text-field"
          rows={2}
          aria-label={t('history.note')}
          placeholder={t('history.notePlaceholder')}
          value={note}
          maxLength={20_000}
          onChange={(event) => {
            noted.current.typed = event.currentTarget.value;
            setNote(event.currentTarget.value);
          }}
          onBlur={keepNote}
        />
      </Section>
      <Chips
        title={t('history.tags')}
        add={t('history.addTag')}
        values={result.tags}
        onChange={(tags) => update({ tags })}
      />
      <Chips
        title={t('history.boards')}
        add={t('history.addBoard')}
        values={result.boards}
        onChange={(boards) => update({ boards })}
      />
      <Section title={t('history.facts')}>
        <dl className="facts num">
          <dt>{t('image.seed')}</dt>
          <dd>{result.seed}</dd>
          <dt>{t('image.size')}</dt>
          <dd>
            {result.width} × {result.height}
          </dd>
          <dt>{t('history.pack')}</dt>
          <dd>{result.pack.name}</dd>
          <dt>{t('history.time')}</dt>
          <dd>
            {formatSeconds(milliseconds / 1000)}, {t('image.passes', { count: result.passes })}
          </dd>
          <dt>{t('history.when')}</dt>
          <dd>{formatDate(result.createdAt)}</dd>
        </dl>
      </Section>
    </div>
  );
}

/** How well each segment came out. */
function Scores({ full }: { readonly full: CallOutput<'results.get'> }) {
  const t = useT();
  const measured = full.scores.filter((score) => score.clip !== null || score.slot !== null);
  if (measured.length === 0) return null;
  const document = toDocument(full.records);
  return (
    <Section title={t('history.scores')}>
      <div className="score-rows">
        {measured.map((score) => {
          const value = score.clip ?? score.slot ?? 0;
          const record = document[score.segment];
          return (
            <div key={score.segment}>
              <span className="ellipsis">
                {(record?.type === 'segment' ? segmentName(document, record) : '') || t('segments.unnamed')}
              </span>
              <span className="meter" data-low={value < 0.2}>
                <i style={{ width: `${Math.max(4, Math.min(1, value / 0.4) * 100)}%` }} />
              </span>
              <span className="num">{formatNumber(value, 2)}</span>
            </div>
          );
        })}
      </div>
    </Section>
  );
}

function Chips({
  title,
  add,
  values,
  onChange,
}: {
  readonly title: string;
  readonly add: string;
  readonly values: readonly string[];
  readonly onChange: (values: string[]) => void;
}) {
  const t = useT();
  return (
    <Section title={title}>
      {values.length > 0 ? (
        <div className="chips">
          {values.map((value) => (
            <span key={value} className="tag-chip">
              {value}
              <button
                type="button"
                aria-label={t('ui.removeWhat', { what: value })}
                onClick={() => onChange(values.filter((one) => one !== value))}
              >
                <X />
              </button>
            </span>
          ))}
        </div>
      ) : null}
      <input
        className="text-field"
        aria-label={add}
        placeholder={add}
        maxLength={60}
        onKeyDown={(event) => {
          const value = event.currentTarget.value.trim();
          if (event.key !== 'Enter' || value === '') return;
          event.currentTarget.value = '';
          if (!values.includes(value)) onChange([...values, value]);
        }}
      />
    </Section>
  );
}
