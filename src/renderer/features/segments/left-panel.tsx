import './segments.css';
import { Tabs } from 'radix-ui';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio, useView } from '../../app/studio.ts';
import { LibraryPanel } from '../library/library-panel.tsx';
import { GlobalText } from './global-text.tsx';
import { Layers } from './layers.tsx';

export function LeftPanel() {
  const studio = useStudio();
  const t = useT();
  const tab = useView((view) => view.leftTab);
  return (
    <Tabs.Root
      value={tab}
      onValueChange={(next) => studio.view.setState({ leftTab: next === 'library' ? 'library' : 'segments' })}
      className="left-body"
    >
      <Tabs.List className="left-tabs" aria-label={t('shell.left')}>
        <Tabs.Trigger value="segments">{t('segments.title')}</Tabs.Trigger>
        <Tabs.Trigger value="library">{t('library.title')}</Tabs.Trigger>
      </Tabs.List>
      <Tabs.Content value="segments" className="left-body" tabIndex={-1}>
        <GlobalText />
        <Layers />
      </Tabs.Content>
      <Tabs.Content value="library" className="left-body" tabIndex={-1}>
        <LibraryPanel />
      </Tabs.Content>
    </Tabs.Root>
  );
}
