import './scene.css';
import { FilePlus2 } from 'lucide-react';
import i18next from 'i18next';
import { useEffect, useState } from 'react';
import type { CallOutput } from '#shared/api/calls.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { newScene } from './actions.ts';
import { SceneThumb } from './scene-thumb.tsx';

/** An empty scene, or one of the examples; each says what it shows off. */
export function NewSceneDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const [examples, setExamples] = useState<CallOutput<'examples.list'>>([]);
  useEffect(() => {
    const language = i18next.language === 'de' ? 'de' : 'en';
    studio.attempt(async () => setExamples(await studio.api.call('examples.list', { language })));
  }, [studio]);
  return (
    <Dialog title={t('newScene.title')} description={t('newScene.hint')} size="xl" onClose={onClose}>
      <div className="dialog-body gallery">
        <button
          type="button"
          className="example example-blank"
          data-autofocus
          onClick={() => studio.attempt(() => newScene(studio))}
        >
          <span className="example-picture">
            <FilePlus2 />
          </span>
          <span className="example-words">
            <b>{t('newScene.empty')}</b>
            <small>{t('newScene.emptyHint')}</small>
          </span>
        </button>
        {examples.map((example) => (
          <button
            key={example.id}
            type="button"
            className="example"
            onClick={() => studio.attempt(() => newScene(studio, example.records))}
          >
            <span className="example-picture">
              {example.picture ? (
                <img src={pictureUrl(example.picture, (hash) => studio.blobUrl(hash))} alt="" />
              ) : (
                <SceneThumb records={example.records} />
              )}
            </span>
            <span className="example-words">
              <b>{example.title}</b>
              <small>{example.shows}</small>
            </span>
          </button>
        ))}
      </div>
    </Dialog>
  );
}

/** Examples name their picture by blob or by address. */
const pictureUrl = (picture: string, blobUrl: (hash: string) => string): string =>
  /^[0-9a-f]{64}$/.test(picture) ? blobUrl(picture) : picture;
