import { useState } from 'react';
import type { SceneRecord } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { NumberField } from '../../ui/number-field.tsx';
import { Segmented } from '../../ui/parts.tsx';
import { Select } from '../../ui/select.tsx';
import { packOf } from './requests.ts';
import { RATIOS, resizeScene, roundSide, sizeOfRatio } from './size.ts';

const SQUARES = ['256', '512', '768', '1024'] as const;

/** Canvas size by proportion and side, and the enlargement of finished pictures. */
export function SizeForm({ scene }: { readonly scene: SceneRecord }) {
  const studio = useStudio();
  const t = useT();
  const pack = useSession((session) => packOf(scene, session.packs, session.defaultPack));
  const base = Math.round(Math.sqrt(scene.width * scene.height));
  const ratio = RATIOS.find((one) => {
    const size = sizeOfRatio(one, base);
    return Math.abs(size.width - scene.width) <= 8 && Math.abs(size.height - scene.height) <= 8;
  });
  const [side, setSide] = useState<string>(() => nearestSquare(base));
  const resize = (width: number, height: number): void =>
    void studio.document.edit('edit.size', (document) => resizeScene(document, roundSide(width), roundSide(height)));
  return (
    <>
      <div className="form-row">
        <span>{t('image.ratio')}</span>
        <div className="pair">
          <Select
            label={t('image.ratio')}
            value={ratio ?? 'free'}
            choices={[
              ...RATIOS.map((one) => ({ value: one as string, label: one })),
              { value: 'free', label: t('image.ratioFree'), disabled: true },
            ]}
            onChange={(next) => {
              const chosen = RATIOS.find((one) => one === next);
              if (!chosen) return;
              const size = sizeOfRatio(chosen, Number(side));
              resize(size.width, size.height);
            }}
          />
        </div>
      </div>
      <Segmented
        size="s"
        label={t('image.side')}
        value={side}
        choices={SQUARES.map((one) => ({ value: one, label: one }))}
        onChange={(next) => {
          setSide(next);
          const size = sizeOfRatio(ratio ?? '1:1', Number(next));
          resize(size.width, size.height);
        }}
      />
      <div className="form-row">
        <NumberField
          label={t('image.width')}
          value={scene.width}
          min={16}
          max={8192}
          step={8}
          unit="px"
          onChange={(width) => resize(width, scene.height)}
        />
        ×
        <NumberField
          label={t('image.height')}
          value={scene.height}
          min={16}
          max={8192}
          step={8}
          unit="px"
          onChange={(height) => resize(scene.width, height)}
        />
      </div>
      <div className="form-row">
        <span>{t('image.upscale')}</span>
        <div className="pair">
          <Segmented
            size="s"
            label={t('image.upscale')}
            value={String(scene.upscale)}
            choices={['1', '2', '4'].map((factor) => ({
              value: factor,
              label: factor === '1' ? t('image.upscaleOff') : `${factor}×`,
            }))}
            onChange={(factor) =>
              studio.document.edit('edit.upscale', (document) =>
                patchScene(document, { upscale: Number(factor) as 1 | 2 | 4 }),
              )
            }
          />
        </div>
      </div>
      {pack && !pack.anySize ? (
        <p className="note">
          {t('image.packSize', { name: pack.name, width: pack.outputSize.width, height: pack.outputSize.height })}
        </p>
      ) : null}
    </>
  );
}

const nearestSquare = (base: number): string =>
  SQUARES.toSorted((a, b) => Math.abs(Number(a) - base) - Math.abs(Number(b) - base))[0] ?? '512';
