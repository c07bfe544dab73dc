import './scene.css';
import { useState } from 'react';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { saveTo, suggestedName } from './actions.ts';

/** A name for the project file, in the studio's own folder. For shells without a dialog of their own. */
export function SaveAsDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const [name, setName] = useState(() => suggestedName(studio));
  const save = (): void => {
    const trimmed = name.trim();
    if (trimmed === '') return;
    studio.attempt(async () => {
      await saveTo(studio, { name: trimmed });
      onClose();
    });
  };
  return (
    <Dialog
      title={t('saveAs.title')}
      description={t('saveAs.hint')}
      size="s"
      onClose={onClose}
      footer={
        <>
          <Button look="plain" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="accent" disabled={name.trim() === ''} onClick={save}>
            {t('saveAs.save')}
          </Button>
        </>
      }
    >
      <div className="dialog-body">
        <input
          className="text-field"
          data-autofocus
          aria-label={t('saveAs.name')}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Enter' && save()}
        />
      </div>
    </Dialog>
  );
}
