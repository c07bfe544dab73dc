import { missingCase } from '#shared/errors.ts';
import { CompareDialog } from '../../features/compare/compare-dialog.tsx';
import { CropDialog } from '../../features/crop/crop-dialog.tsx';
import { ExportDialog } from '../../features/export/export-dialog.tsx';
import { HistoryDialog } from '../../features/history/history-dialog.tsx';
import { ResultDialog } from '../../features/history/result-detail.tsx';
import { AnnotationsDialog } from '../../features/scene/annotations-dialog.tsx';
import { NewSceneDialog } from '../../features/scene/new-scene-dialog.tsx';
import { OpenDialog } from '../../features/scene/open-dialog.tsx';
import { RecoverDialog } from '../../features/scene/recover-dialog.tsx';
import { SaveAsDialog } from '../../features/scene/save-as-dialog.tsx';
import { SettingsDialog } from '../../features/settings/settings-dialog.tsx';
import { useStudio, useView } from '../studio.ts';
import { CheatSheet } from './cheat-sheet.tsx';
import { Palette } from './palette.tsx';

/** Whichever dialog is open. */
export function Dialogs() {
  const studio = useStudio();
  const dialog = useView((view) => view.dialog);
  const onClose = (): void => studio.view.openDialog(null);
  if (!dialog) return null;
  switch (dialog.name) {
    case 'palette':
      return <Palette onClose={onClose} />;
    case 'cheat-sheet':
      return <CheatSheet onClose={onClose} />;
    case 'new-scene':
      return <NewSceneDialog onClose={onClose} />;
    case 'open':
      return <OpenDialog onClose={onClose} />;
    case 'save-as':
      return <SaveAsDialog onClose={onClose} />;
    case 'recover':
      return <RecoverDialog onClose={onClose} />;
    case 'annotations':
      return <AnnotationsDialog source={dialog.source} found={dialog.found} onClose={onClose} />;
    case 'export':
      return <ExportDialog onClose={onClose} />;
    case 'settings':
      return <SettingsDialog page={dialog.page ?? 'general'} onClose={onClose} />;
    case 'history':
      return <HistoryDialog onClose={onClose} />;
    case 'compare':
      return <CompareDialog onClose={onClose} />;
    case 'result':
      return <ResultDialog id={dialog.id} onClose={onClose} />;
    case 'crop':
      return <CropDialog dialog={dialog} onClose={onClose} />;
    default:
      return missingCase(dialog);
  }
}
