import { Bookmark, Clock, LayoutGrid, Network, Star, Trash2 } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import type { ResultId } from '#shared/api/generation.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty, Segmented } from '../../ui/parts.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Select } from '../../ui/select.tsx';
import { deleteResults, eraseResults, openCompare, restoreResults } from './actions.ts';
import { HistoryGrid } from './history-grid.tsx';
import { HistoryTree } from './history-tree.tsx';
import { ResultDetail } from './result-detail.tsx';
import { useResults } from './use-results.ts';
import type { Filter } from './use-results.ts';

type Place =
  | { readonly kind: 'all' }
  | { readonly kind: 'starred' }
  | { readonly kind: 'deleted' }
  | { readonly kind: 'board'; readonly name: string };

/** All results: search, filter, look, tidy up. */
export function HistoryDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const packs = useSession((session) => session.packs);
  const [place, setPlace] = useState<Place>({ kind: 'all' });
  const [search, setSearch] = useState('');
  const [pack, setPack] = useState('any');
  const [score, setScore] = useState('any');
  const [size, setSize] = useState('any');
  const [view, setView] = useState<'grid' | 'tree'>('grid');
  const [selected, setSelected] = useState<readonly ResultId[]>([]);
  const [boards, setBoards] = useState<readonly { name: string; count: number }[]>([]);
  const filter: Filter = {
    search,
    deleted: place.kind === 'deleted',
    ...(place.kind === 'starred' ? { starred: true } : {}),
    ...(place.kind === 'board' ? { board: place.name } : {}),
    ...(pack === 'any' ? {} : { pack }),
    ...(score === 'any' ? {} : { minScore: Number(score) }),
    ...(size === 'any' ? {} : { minSide: Number(size) }),
  };
  const { results, total, loading, more, reload } = useResults(filter);
  const loadBoards = (): void => studio.attempt(async () => setBoards(await studio.api.call('boards.list', {})));
  useEffect(loadBoards, [studio]);
  const go = (next: Place): void => {
    setPlace(next);
    setSelected([]);
  };
  /** Does something to what is picked; then nothing is. */
  const onPicked = (act: (studio: Studio, ids: ResultId[]) => Promise<void>) => (): void =>
    studio.attempt(async () => {
      await act(studio, [...selected]);
      setSelected([]);
      reload();
    });
  const focus = results.find((result) => result.id === selected.at(-1));

  return (
    <Dialog title={t('history.title')} description={t('history.count', { count: total })} size="full" onClose={onClose}>
      <div className="history">
        <nav className="history-side scroll" aria-label={t('history.places')}>
          <div>
            <NavItem
              icon={<Clock />}
              label={t('history.all')}
              current={place.kind === 'all'}
              onClick={() => go({ kind: 'all' })}
            />
            <NavItem
              icon={<Star />}
              label={t('history.starred')}
              current={place.kind === 'starred'}
              onClick={() => go({ kind: 'starred' })}
            />
            <NavItem
              icon={<Trash2 />}
              label={t('history.trash')}
              current={place.kind === 'deleted'}
              onClick={() => go({ kind: 'deleted' })}
            />
          </div>
          <div>
            <h3>{t('history.boards')}</h3>
            {boards.map((board) => (
              <NavItem
                key={board.name}
                icon={<Bookmark />}
                label={board.name}
                count={board.count}
                current={place.kind === 'board' && place.name === board.name}
                onClick={() => go({ kind: 'board', name: board.name })}
              />
            ))}
            {boards.length === 0 ? <p className="nav-item">{t('history.noBoards')}</p> : null}
          </div>
        </nav>
        <div className="history-main">
          <div className="history-bar">
            <SearchField autofocus label={t('history.search')} value={search} onChange={setSearch} />
            <Select
              look="quiet"
              label={t('history.pack')}
              value={pack}
              choices={[
                { value: 'any', label: t('history.anyPack') },
                ...packs.map((one) => ({ value: one.id, label: one.name })),
              ]}
              onChange={setPack}
            />
            <Select
              look="quiet"
              label={t('history.score')}
              value={score}
              choices={[
                { value: 'any', label: t('history.anyScore') },
                ...['0.2', '0.25', '0.3', '0.35'].map((value) => ({
                  value,
                  label: t('history.minScore', { score: value }),
                })),
              ]}
              onChange={setScore}
            />
            <Select
              look="quiet"
              label={t('history.size')}
              value={size}
              choices={[
                { value: 'any', label: t('history.anySize') },
                ...['512', '768', '1024', '2048'].map((value) => ({
                  value,
                  label: t('history.minSide', { pixels: value }),
                })),
              ]}
              onChange={setSize}
            />
            <span className="grow" />
            <Segmented
              label={t('history.view')}
              value={view}
              choices={[
                { value: 'grid', label: t('history.grid'), icon: <LayoutGrid /> },
                { value: 'tree', label: t('history.tree'), icon: <Network /> },
              ]}
              onChange={setView}
            />
          </div>
          {results.length === 0 && !loading ? (
            <Empty title={t(search ? 'history.noMatch' : 'history.nothingHere')} />
          ) : view === 'grid' ? (
            <HistoryGrid results={results} selected={selected} onSelect={setSelected} onMore={more} />
          ) : (
            <HistoryTree results={results} selected={selected} onSelect={setSelected} onMore={more} />
          )}
          {selected.length > 0 ? (
            <div className="history-picked" role="group" aria-label={t('history.picked', { count: selected.length })}>
              <span className="num">{t('history.picked', { count: selected.length })}</span>
              {place.kind === 'deleted' ? (
                <>
                  <Button onClick={onPicked(restoreResults)}>{t('history.restore', { count: selected.length })}</Button>
                  <EraseButton key={selected.join()} count={selected.length} onErase={onPicked(eraseResults)} />
                </>
              ) : (
                <>
                  {selected.length > 1 && selected.length <= 4 ? (
                    <Button
                      onClick={() => {
                        studio.view.setState({ compare: [...selected] });
                        openCompare(studio);
                      }}
                    >
                      {t('history.compare')}
                    </Button>
                  ) : null}
                  <Button look="danger" onClick={onPicked(deleteResults)}>
                    {t('history.delete', { count: selected.length })}
                  </Button>
                </>
              )}
            </div>
          ) : null}
        </div>
        {focus ? (
          <ResultDetail key={focus.id} result={focus} onBoards={loadBoards} />
        ) : (
          <div className="detail">
            <Empty title={t('history.pick')}>{t('history.pickHint')}</Empty>
          </div>
        )}
      </div>
    </Dialog>
  );
}

/** Asks once more in its own place, since there is no way back. */
function EraseButton({ count, onErase }: { readonly count: number; readonly onErase: () => void }) {
  const t = useT();
  const [sure, setSure] = useState(false);
  return (
    <Button look="danger" onClick={sure ? onErase : () => setSure(true)} onBlur={() => setSure(false)}>
      {sure ? t('history.eraseSure', { count }) : t('history.erase')}
    </Button>
  );
}

function NavItem({
  icon,
  label,
  count,
  current,
  onClick,
}: {
  readonly icon: ReactNode;
  readonly label: string;
  readonly count?: number;
  readonly current: boolean;
  readonly onClick: () => void;
}) {
  return (
    <button type="button" className="nav-item" aria-current={current} onClick={onClick}>
      {icon}
      <span className="ellipsis">{label}</span>
      {count === undefined ? null : <span className="count num">{count}</span>}
    </button>
  );
}
