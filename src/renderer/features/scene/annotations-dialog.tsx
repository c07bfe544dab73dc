import './scene.css';
import { FileQuestion, Image } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import type { ImageChoice, ImportSource } from '../../store/view-store.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/parts.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { fileNameOf } from '../packs/file-name.ts';
import { chooseFile } from '../segments/picture-input.ts';
import { addReference, importFrom } from './actions.ts';

/** Rows shown at once; more are found by searching. */
const ROWS = 200;

/** Annotations of many images: which one becomes the scene, and where its picture of areas is. */
export function AnnotationsDialog({
  source,
  found,
  onClose,
}: {
  readonly source: ImportSource;
  readonly found: ImageChoice;
  readonly onClose: () => void;
}) {
  const studio = useStudio();
  const t = useT();
  const [search, setSearch] = useState('');
  const matching = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    return found.images.filter(({ image, picture }) => `${image} ${picture}`.toLowerCase().includes(wanted));
  }, [found, search]);
  const name = source.kind === 'file' ? source.file.name : fileNameOf(source.path);

  const take = (choice: ImageChoice['images'][number]): void =>
    studio.attempt(async () => {
      let { beside } = source;
      if (!choice.there) {
        const file = await chooseFile('.png');
        if (!file) return;
        // Whatever its name on this disk: it is the picture that the annotations mean.
        beside = [...beside, new File([file], choice.picture, { type: file.type })];
      }
      onClose();
      await importFrom(studio, { ...source, beside }, (picture) => addReference(studio, picture), choice.image);
    });

  return (
    <Dialog
      title={t('annotations.title')}
      description={t('annotations.hint', { count: found.total, name })}
      onClose={onClose}
    >
      <div className="dialog-body annotations">
        {found.images.length > 8 ? (
          <SearchField autofocus label={t('annotations.search')} value={search} onChange={setSearch} />
        ) : null}
        {matching.length === 0 ? <Empty title={t('annotations.noMatch')} /> : null}
        <div className="file-list">
          {matching.slice(0, ROWS).map((choice) => (
            <button key={choice.picture} type="button" className="file-row" onClick={() => take(choice)}>
              {choice.there ? <Image /> : <FileQuestion />}
              <span className="ellipsis">
                {choice.image}
                {choice.there ? null : (
                  <small className="ellipsis">{t('annotations.missing', { picture: choice.picture })}</small>
                )}
              </span>
              <small className="num">{t('annotations.segments', { count: choice.segments })}</small>
            </button>
          ))}
        </div>
        {matching.length > ROWS ? <p>{t('annotations.more', { count: matching.length - ROWS })}</p> : null}
      </div>
    </Dialog>
  );
}
