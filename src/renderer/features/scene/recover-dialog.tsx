import './scene.css';
import { FileClock } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import type { CallOutput } from '#shared/api/calls.ts';
import { showDocument } from '../../app/boot.ts';
import { formatDate } from '../../app/format.ts';
import { hostWords } from '../../app/host-words/host-words.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/parts.tsx';

/** Unsaved work that the host has kept. */
export function RecoverDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const [found, setFound] = useState<CallOutput<'project.recoverable'> | null>(null);
  const load = useCallback(
    () => studio.attempt(async () => setFound(await studio.api.call('project.recoverable', {}))),
    [studio],
  );
  useEffect(load, [load]);
  return (
    <Dialog title={t('recover.title')} description={t('recover.hint')} onClose={onClose}>
      <div className="dialog-body">
        {found?.length === 0 ? <Empty title={t('recover.none')}>{t('recover.noneHint')}</Empty> : null}
        <div className="file-list">
          {found?.map((one) => (
            <div key={one.id} className="file-row">
              <FileClock />
              <span>
                {one.title || t('scene.untitled')}
                <small>
                  {formatDate(one.modifiedAt)} · {t('segments.count', { count: one.segments })} ·{' '}
                  {hostWords({ message: one.reason }).message}
                </small>
              </span>
              <span className="buttons">
                <Button
                  size="s"
                  onClick={() =>
                    studio.attempt(async () => {
                      await studio.document.flush();
                      showDocument(studio, await studio.api.call('project.recover', { id: one.id }));
                      onClose();
                    })
                  }
                >
                  {t('recover.open')}
                </Button>
                <Button
                  size="s"
                  look="danger"
                  onClick={() =>
                    studio.attempt(async () => {
                      await studio.api.call('project.discard', { id: one.id });
                      load();
                    })
                  }
                >
                  {t('recover.discard')}
                </Button>
              </span>
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  );
}
