import { X } from 'lucide-react';
import { sceneOf } from '#shared/document/document.ts';
import type { SceneAdditions } from '#shared/document/settings.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { nameOfFile } from './file-name.ts';

/** Files besides LoRAs that the scene lays over its checkpoint. */
export function Additions() {
  const studio = useStudio();
  const t = useT();
  const additions = useDocument((state) => sceneOf(state.document).additions);
  const { vae, embeddings, ipAdapter } = additions;
  const change = (patch: Partial<SceneAdditions>, gesture?: string): void =>
    void studio.document.edit(
      'edit.addition',
      (document) => patchScene(document, { additions: { ...additions, ...patch } }),
      gesture === undefined ? {} : { extend: gesture },
    );
  return (
    <>
      <div className="settings-sub">
        <h3>{t('additions.title')}</h3>
        <span>{t('additions.hint')}</span>
      </div>
      {vae === null ? null : <Row file={vae} what={t('additions.vae')} onRemove={() => change({ vae: null })} />}
      {embeddings.map((file) => (
        <Row
          key={file}
          file={file}
          what={t('additions.embedding')}
          onRemove={() => change({ embeddings: embeddings.filter((other) => other !== file) })}
        />
      ))}
      {ipAdapter ? (
        <>
          <Row file={ipAdapter.file} what={t('additions.adapter')} onRemove={() => change({ ipAdapter: null })} />
          <div className="lora">
            <SliderRow
              label={
                ipAdapter.imageEncoder === null
                  ? t('additions.encoderBeside')
                  : t('additions.encoder', { name: nameOfFile(ipAdapter.imageEncoder) })
              }
              value={ipAdapter.scale}
              min={0}
              max={2}
              step={0.05}
              digits={2}
              onChange={(scale) => change({ ipAdapter: { ...ipAdapter, scale } }, 'adapter')}
              onDone={() => studio.document.seal()}
            />
          </div>
        </>
      ) : null}
    </>
  );
}

function Row({
  file,
  what,
  onRemove,
}: {
  readonly file: string;
  readonly what: string;
  readonly onRemove: () => void;
}) {
  const t = useT();
  const name = nameOfFile(file);
  return (
    <div className="addition" title={file}>
      <span>
        {name}
        <small>{what}</small>
      </span>
      <IconButton size="s" label={t('lora.remove', { name })} icon={<X />} onClick={onRemove} />
    </div>
  );
}
