import './compare.css';
import { useEffect, useState } from 'react';
import type { CSSProperties, KeyboardEvent, PointerEvent } from 'react';
import type { ResultId, ResultSummary } from '#shared/api/generation.ts';
import { formatDate, formatNumber } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio, useView } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty, Section, Segmented } from '../../ui/parts.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { changeWords } from './change-words.ts';
import { openAsItWas, resultLabel } from '../history/actions.ts';
import { frameRatio } from './frame.ts';

type Mode = 'swipe' | 'overlay' | 'side';

/** Two to four results against each other, and what changed from one to the next in words. */
export function CompareDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const ids = useView((view) => view.compare);
  const results = useCompared(ids);
  const [mode, setMode] = useState<Mode>('swipe');
  const [opacity, setOpacity] = useState(50);
  const two = results.length === 2;
  const shownMode = two ? mode : 'side';
  const [a, b] = results;
  return (
    <Dialog
      title={t('compare.title')}
      size="full"
      onClose={onClose}
      tools={
        two ? (
          <Segmented
            label={t('compare.mode')}
            value={mode}
            choices={(['swipe', 'overlay', 'side'] as const).map((value) => ({
              value,
              label: t(`compare.mode.${value}`),
            }))}
            onChange={setMode}
          />
        ) : null
      }
    >
      <div className="compare">
        <div className="compare-stage" data-count={results.length} data-mode={shownMode}>
          {shownMode === 'side' ? (
            results.map((result, index) => (
              <div key={result.id} className="compare-cell">
                <figure className="compare-frame" style={frameOf(result, result)}>
                  <img src={studio.blobUrl(result.picture)} alt={result.text} />
                  <figcaption className="compare-tag">{'ABCD'[index]}</figcaption>
                </figure>
              </div>
            ))
          ) : a && b ? (
            shownMode === 'swipe' ? (
              <Swipe a={a} b={b} />
            ) : (
              <div className="compare-frame" style={frameOf(a, b, { '--mix': opacity / 100 })}>
                <img className="below" src={studio.blobUrl(b.picture)} alt={b.text} draggable={false} />
                <img className="top" src={studio.blobUrl(a.picture)} alt={a.text} draggable={false} />
              </div>
            )
          ) : (
            <Empty title={t('compare.none')} />
          )}
        </div>
        <aside className="compare-side scroll">
          {shownMode === 'overlay' ? (
            <SliderRow
              label={t('compare.overlay')}
              value={opacity}
              min={0}
              max={100}
              step={1}
              unit="%"
              onChange={setOpacity}
            />
          ) : null}
          {results.slice(1).map((result, index) => (
            <Changes
              key={result.id}
              from={results[index]}
              to={result}
              letters={['ABCD'[index] ?? '', 'ABCD'[index + 1] ?? '']}
            />
          ))}
          <Section title={t('compare.pictures')}>
            <dl className="facts num">
              {results.map((result, index) => (
                <Facts key={result.id} result={result} letter={'ABCD'[index] ?? ''} />
              ))}
            </dl>
          </Section>
          {results.map((result, index) => (
            <Button
              key={result.id}
              onClick={() =>
                studio.attempt(async () => {
                  await openAsItWas(studio, result.id);
                  studio.view.openDialog(null);
                })
              }
            >
              {t('compare.open', { letter: 'ABCD'[index] ?? '' })}
            </Button>
          ))}
          <Button
            look="plain"
            onClick={() => {
              studio.view.setState({ compare: [] });
              onClose();
            }}
          >
            {t('compare.clear')}
          </Button>
        </aside>
      </div>
    </Dialog>
  );
}

/** The compared results, those that the strip no longer holds fetched. */
function useCompared(ids: readonly ResultId[]): readonly ResultSummary[] {
  const studio = useStudio();
  const known = useSession((session) => session.results);
  const [fetched, setFetched] = useState<readonly ResultSummary[]>([]);
  const missing = ids.filter((id) => !known.some((result) => result.id === id)).join();
  useEffect(() => {
    if (missing === '') return;
    studio.attempt(async () => {
      const found = await Promise.all(missing.split(',').map((id) => studio.api.call('results.get', { id })));
      setFetched(found.map((result) => ({ ...result, title: '', text: '', deleted: false })));
    });
  }, [studio, missing]);
  return ids.flatMap((id) => [...known, ...fetched].find((result) => result.id === id) ?? []);
}

/** The frame's proportions as a style, with what else it needs. */
const frameOf = (a: ResultSummary, b: ResultSummary, more: Readonly<Record<`--${string}`, string | number>> = {}) =>
  ({ '--ratio': frameRatio(a, b), ...more }) as CSSProperties;

function Swipe({ a, b }: { readonly a: ResultSummary; readonly b: ResultSummary }) {
  const studio = useStudio();
  const t = useT();
  const [at, setAt] = useState(50);
  const follow = (event: PointerEvent<HTMLElement>): void => {
    const box = event.currentTarget.parentElement?.getBoundingClientRect();
    if (box) setAt(Math.min(100, Math.max(0, ((event.clientX - box.left) / box.width) * 100)));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -2, ArrowRight: 2, Home: -100, End: 100 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    setAt(Math.min(100, Math.max(0, at + by)));
  };
  return (
    <div className="compare-frame" style={frameOf(a, b, { '--at': `${at}%` })}>
      <img className="below" src={studio.blobUrl(b.picture)} alt={b.text} draggable={false} />
      <img className="top" src={studio.blobUrl(a.picture)} alt={a.text} draggable={false} />
      <span className="compare-tag compare-tag-a">A</span>
      <span className="compare-tag compare-tag-b">B</span>
      <div
        className="compare-handle"
        role="slider"
        tabIndex={0}
        data-autofocus
        aria-label={t('compare.handle')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(at)}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) follow(event);
        }}
      />
    </div>
  );
}

function Changes({
  from,
  to,
  letters,
}: {
  readonly from: ResultSummary | undefined;
  readonly to: ResultSummary;
  readonly letters: readonly [string, string];
}) {
  const studio = useStudio();
  const t = useT();
  const [changes, setChanges] = useState<readonly string[] | null>(null);
  const fromId = from?.id;
  useEffect(() => {
    if (!fromId) return;
    studio.attempt(async () => setChanges(await studio.api.call('results.changes', { from: fromId, to: to.id })));
  }, [studio, fromId, to.id]);
  return (
    <Section title={t('compare.changed', { from: letters[0], to: letters[1] })}>
      {changes === null ? null : changes.length === 0 ? (
        <p>{t('compare.same')}</p>
      ) : (
        <ul className="changes">
          {changes.map((change) => (
            <li key={change}>{changeWords(t, change)}</li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Facts({ result, letter }: { readonly result: ResultSummary; readonly letter: string }) {
  const t = useT();
  return (
    <>
      <dt>{letter}</dt>
      <dd>
        {resultLabel(result)} · {formatDate(result.createdAt)}
        {result.globalScore === null ? '' : ` · ${t('compare.score', { score: formatNumber(result.globalScore, 2) })}`}
      </dd>
    </>
  );
}
