import './shell.css';
import { Suspense, lazy } from 'react';
import { Group, Panel, Separator, useDefaultLayout } from 'react-resizable-panels';
import { GuidancePanel } from '../../features/guidance/guidance-panel.tsx';
import { ResultsStrip } from '../../features/history/results-strip.tsx';
import { ModelDrop } from '../../features/packs/model-drop.tsx';
import { Rulers } from '../../features/rulers/rulers.tsx';
import { LeftPanel } from '../../features/segments/left-panel.tsx';
import { useT } from '../i18n/texts.ts';
import { useDocument, useSession, useView } from '../studio.ts';
import { StatusBar } from './status-bar.tsx';
import { TopBar } from './top-bar.tsx';

const CanvasView = lazy(async () => ({ default: (await import('../../canvas/index.tsx')).CanvasView }));

/** The studio's one page: bar, segments, canvas, guidance, results, status. */
export function Shell() {
  const t = useT();
  const panels = useView((view) => view.panels);
  // Until the document is there nothing is shown in its place: an empty canvas would flash by.
  const rulers = useSession((session) => session.settings.showRulers);
  const loaded = useDocument((state) => state.id !== null);
  const columns = useDefaultLayout({ id: 'columns', panelIds: shownIds(panels.left, panels.right) });
  const rows = useDefaultLayout({ id: 'rows', panelIds: panels.bottom ? ['middle', 'bottom'] : ['middle'] });
  return (
    <div className="shell">
      <TopBar />
      <ModelDrop />
      <Group className="workspace" orientation="vertical" {...rows}>
        <Panel id="middle" minSize="240px">
          <Group orientation="horizontal" {...columns}>
            {panels.left ? (
              <>
                <Panel
                  id="left"
                  defaultSize="284px"
                  minSize="232px"
                  maxSize="480px"
                  groupResizeBehavior="preserve-pixel-size"
                >
                  <aside className="panel panel-left" aria-label={t('shell.left')}>
                    <LeftPanel />
                  </aside>
                </Panel>
                <Separator className="splitter splitter-v" aria-label={t('shell.resizeLeft')} />
              </>
            ) : null}
            <Panel id="stage" minSize="320px">
              <main className={`stage ${rulers ? 'stage-ruled' : ''}`} aria-label={t('shell.canvas')}>
                {rulers ? <Rulers /> : null}
                <div className="stage-inner">
                  {loaded ? (
                    <Suspense>
                      <CanvasView />
                    </Suspense>
                  ) : null}
                </div>
              </main>
            </Panel>
            {panels.right ? (
              <>
                <Separator className="splitter splitter-v" aria-label={t('shell.resizeRight')} />
                <Panel
                  id="right"
                  defaultSize="304px"
                  minSize="264px"
                  maxSize="460px"
                  groupResizeBehavior="preserve-pixel-size"
                >
                  <aside className="panel panel-right" aria-label={t('shell.right')}>
                    <GuidancePanel />
                  </aside>
                </Panel>
              </>
            ) : null}
          </Group>
        </Panel>
        {panels.bottom ? (
          <>
            <Separator className="splitter splitter-h" aria-label={t('shell.resizeBottom')} />
            <Panel
              id="bottom"
              defaultSize="132px"
              minSize="96px"
              maxSize="320px"
              groupResizeBehavior="preserve-pixel-size"
            >
              <section className="panel panel-bottom" aria-label={t('shell.bottom')}>
                <ResultsStrip />
              </section>
            </Panel>
          </>
        ) : null}
      </Group>
      <StatusBar />
    </div>
  );
}

const shownIds = (left: boolean, right: boolean): string[] => [
  ...(left ? ['left'] : []),
  'stage',
  ...(right ? ['right'] : []),
];
