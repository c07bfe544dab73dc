import './strip.css';
import './history.css';
import { Columns2, History, Image } from 'lucide-react';
import { Fragment, useEffect, useRef } from 'react';
import { useT } from '../../app/i18n/texts.ts';
import { useCommand } from '../../app/shell/use-command.ts';
import { useSession, useView } from '../../app/studio.ts';
import { IconButton } from '../../ui/button.tsx';
import { Empty } from '../../ui/parts.tsx';
import { Shortcut } from '../../ui/shortcut.tsx';
import { foregroundJob } from '../generate/actions.ts';
import { JobWords } from '../generate/job-words.tsx';
import { ProgressLine } from '../generate/progress-line.tsx';
import { fractionOf } from '../generate/words.ts';
import { Thumb } from './thumb.tsx';

/** The newest results, left to right from new to old; a line joins a result with the one it comes from. */
export function ResultsStrip() {
  const t = useT();
  const results = useSession((session) => session.results);
  const { job, paused } = useSession((session) => ({ job: foregroundJob(session.jobs), paused: session.paused }));
  const compareCount = useView((view) => view.compare.length);
  const compare = useCommand('results.compare');
  const history = useCommand('results.history');
  const list = useRef<HTMLDivElement>(null);
  const newest = results[0]?.id;
  useEffect(() => {
    list.current?.scrollTo({ left: 0 });
  }, [newest]);
  return (
    <div className="strip">
      <div
        ref={list}
        className="strip-list"
        role="group"
        aria-label={t('history.strip')}
        onWheel={(event) => {
          if (event.deltaX === 0) event.currentTarget.scrollLeft += event.deltaY;
        }}
      >
        {job ? (
          <div className="thumb thumb-pending num">
            {paused && job.state === 'queued' ? null : (
              <ProgressLine label={t('job.progress')} fraction={fractionOf(job.progress)} />
            )}
            <JobWords job={job} />
          </div>
        ) : null}
        {results.map((result, index) => (
          <Fragment key={result.id}>
            {index > 0 && results[index - 1]?.parents.includes(result.id) ? <span className="thumb-link" /> : null}
            <Thumb result={result} />
          </Fragment>
        ))}
        {results.length === 0 && !job ? (
          <Empty icon={<Image />} title={t('history.none')}>
            <Shortcut keys="Mod+Enter" /> {t('history.noneHint')}
          </Empty>
        ) : null}
      </div>
      <div className="strip-side">
        <IconButton
          label={compareCount > 1 ? t('history.compareMarked', { count: compareCount }) : compare.label}
          shortcut={compare.shortcut}
          icon={<Columns2 />}
          disabled={!compare.enabled}
          side="left"
          onClick={compare.run}
        />
        <IconButton
          label={history.label}
          shortcut={history.shortcut}
          icon={<History />}
          side="left"
          onClick={history.run}
        />
      </div>
    </div>
  );
}
