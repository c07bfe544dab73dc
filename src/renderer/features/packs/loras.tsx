import { X } from 'lucide-react';
import { useState } from 'react';
import { withBelonging } from '#shared/document/belongings.ts';
import { sceneOf } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { LoraChoice } from '#shared/document/settings.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useSession, useStudio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { nameOfFile } from './file-name.ts';
import { takeModelPath } from './take-model.ts';

/** LoRA files laid over the scene's checkpoint, with their weights. */
export function Loras() {
  const studio = useStudio();
  const t = useT();
  const loras = useDocument((state) => sceneOf(state.document).loras);
  const [path, setPath] = useState('');
  const change = (next: LoraChoice[], gesture?: string): void =>
    void studio.document.edit(
      'edit.lora',
      (document) => patchScene(document, { loras: next }),
      gesture === undefined ? {} : { extend: gesture },
    );
  const scenePack = useDocument((state) => sceneOf(state.document).pack);
  const defaultPack = useSession((session) => session.defaultPack);
  const add = (): void =>
    studio.attempt(async () => {
      const looked = await studio.api.call('packs.look', { path: path.trim() });
      // What fits is used at once; anything else is called what it is, and offered to what it fits.
      if (looked.kind === 'lora' && looked.fits.some((model) => model.id === (scenePack ?? defaultPack)))
        studio.document.edit('edit.lora', (document) =>
          patchScene(document, withBelonging(sceneOf(document), { kind: 'lora', path: looked.path })),
        );
      else await takeModelPath(studio, looked.path);
      setPath('');
    });
  return (
    <>
      <div className="settings-sub">
        <h3>{t('lora.title')}</h3>
        <span>{t('lora.hint')}</span>
      </div>
      {loras.map((lora, index) => (
        <div key={lora.file} className="lora">
          <SliderRow
            label={nameOfFile(lora.file)}
            hint={lora.file}
            value={lora.strength}
            min={-2}
            max={2}
            step={0.05}
            digits={2}
            onChange={(strength) => change(loras.with(index, { ...lora, strength }), `lora:${index}`)}
            onDone={() => studio.document.seal()}
          />
          <IconButton
            size="s"
            label={t('lora.remove', { name: nameOfFile(lora.file) })}
            icon={<X />}
            onClick={() => change(loras.toSpliced(index, 1))}
          />
        </div>
      ))}
      <div className="path-row path-row-plain">
        <input
          className="text-field"
          aria-label={t('lora.path')}
          placeholder={t('lora.path')}
          value={path}
          maxLength={4096}
          spellCheck={false}
          onChange={(event) => setPath(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && path.trim() !== '' && add()}
        />
        <Button disabled={path.trim() === '' || loras.length >= LIMITS.loras} onClick={add}>
          {t('lora.add')}
        </Button>
      </div>
    </>
  );
}
