import { X } from 'lucide-react';
import { useState } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { LoraChoice } from '#shared/document/settings.ts';
import { StudioError } from '#shared/errors.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { nameOfFile } from './file-name.ts';

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
  const add = (): void =>
    studio.attempt(() => {
      const parsed = LoraChoice.safeParse({ file: path.trim() });
      if (!parsed.success) throw StudioError.from(parsed.error, path.trim());
      change([...loras, parsed.data]);
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
