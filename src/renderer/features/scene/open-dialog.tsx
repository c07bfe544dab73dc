import './scene.css';
import { FileText, FolderOpen } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { CallOutput } from '#shared/api/calls.ts';
import { formatBytes, formatDate } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/parts.tsx';
import { chooseFiles } from '../segments/picture-input.ts';
import { addReference, importFiles, openProject } from './actions.ts';

const IMPORTS = '.spatext,.json,.png,.jpg,.jpeg,.webp,.avif,.gif,.tif,.tiff,.psd,.ora,.svg,.npy';

/** Projects of this studio, and files from elsewhere. For shells without a dialog of their own. */
export function OpenDialog({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const [projects, setProjects] = useState<CallOutput<'project.list'> | null>(null);
  useEffect(() => {
    studio.attempt(async () => setProjects(await studio.api.call('project.list', {})));
  }, [studio]);
  return (
    <Dialog
      title={t('open.title')}
      onClose={onClose}
      footer={
        <>
          <small className="foot-hint">{t('open.together')}</small>
          <span className="spacer" />
          <Button
            onClick={() =>
              studio.attempt(async () => {
                const files = await chooseFiles(IMPORTS);
                if (files.length === 0) return;
                onClose();
                await importFiles(studio, files, (picture) => addReference(studio, picture));
              })
            }
          >
            <FolderOpen /> {t('open.file')}
          </Button>
        </>
      }
    >
      <div className="dialog-body">
        {projects?.length === 0 ? <Empty title={t('open.none')}>{t('open.noneHint')}</Empty> : null}
        <div className="file-list">
          {projects?.map((project, index) => (
            <button
              key={project.path}
              type="button"
              className="file-row"
              {...(index === 0 ? { 'data-autofocus': true } : {})}
              onClick={() => studio.attempt(() => openProject(studio, project.path))}
            >
              <FileText />
              <span className="ellipsis">
                {project.name}
                <small className="ellipsis">{project.path}</small>
              </span>
              <small className="num">
                {formatDate(project.modifiedAt)} · {formatBytes(project.bytes)}
              </small>
            </button>
          ))}
        </div>
      </div>
    </Dialog>
  );
}
