import { Minus, Plus } from 'lucide-react';
import { useId, useState } from 'react';
import { sceneOf } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio } from '../../app/studio.ts';
import { patchScene } from '../../store/recipes.ts';
import { IconButton } from '../../ui/button.tsx';
import { useTyping } from './use-typing.ts';

/** The words for the whole scene, and what should not be in it. */
export function GlobalText() {
  const studio = useStudio();
  const t = useT();
  const id = useId();
  const { text, negativeText } = useDocument((state) => {
    const scene = sceneOf(state.document);
    return { text: scene.text, negativeText: scene.negativeText };
  });
  const [open, setOpen] = useState(false);
  const showNegative = open || negativeText !== '';
  const change = (patch: { text?: string; negativeText?: string }, field: string): void =>
    void studio.document.edit('edit.globalText', (document) => patchScene(document, patch), {
      extend: `scene:${field}`,
    });
  const typing = useTyping((next) => change({ text: next }, 'text'));
  const negative = useTyping((next) => change({ negativeText: next }, 'negative'));
  return (
    <div className="global-card">
      <div className="global-head">
        <label htmlFor={`${id}-text`}>{t('scene.text')}</label>
        <IconButton
          size="s"
          label={t(showNegative ? 'scene.hideNegative' : 'scene.addNegative')}
          icon={showNegative ? <Minus /> : <Plus />}
          aria-expanded={showNegative}
          onClick={() => {
            if (negativeText !== '') change({ negativeText: '' }, 'clear-negative');
            setOpen(!showNegative);
          }}
        />
      </div>
      <textarea
        id={`${id}-text`}
        rows={1}
        value={text}
        maxLength={LIMITS.text}
        placeholder={t('scene.textPlaceholder')}
        {...typing}
      />
      {showNegative ? (
        <div className="global-negative">
          <div className="global-head">
            <label htmlFor={`${id}-negative`}>{t('scene.negative')}</label>
          </div>
          <textarea
            id={`${id}-negative`}
            rows={1}
            value={negativeText}
            maxLength={LIMITS.text}
            placeholder={t('scene.negativePlaceholder')}
            {...negative}
          />
        </div>
      ) : null}
    </div>
  );
}
