import './generate.css';
import { ArrowDownToLine, ArrowUpToLine, ListOrdered, Pause, Play, Skull, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { JobSummary } from '#shared/api/generation.ts';
import { hostWords } from '../../app/host-words/host-words.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio, withNames } from '../../app/studio.ts';
import { IconButton } from '../../ui/button.tsx';
import { Empty } from '../../ui/parts.tsx';
import { Popover } from '../../ui/popover.tsx';
import { cancel, isActive, isQuiet } from './actions.ts';
import { JobWords } from './job-words.tsx';
import { ProgressLine } from './progress-line.tsx';
import { aboutWords, fractionOf, purposeWords } from './words.ts';

/** Ended jobs still listed. */
const RECENT = 5;

/** The queue: what runs, what waits, what failed. */
export function QueueButton() {
  const studio = useStudio();
  const t = useT();
  const { jobs, paused } = useSession((session) => ({ jobs: session.jobs, paused: session.paused }));
  const active = jobs.filter(isActive);
  // Live and grid jobs come and go by the dozen; only their failures are worth a line.
  const ended = jobs
    .filter((job) => !isActive(job) && (!isQuiet(job) || job.state === 'failed'))
    .slice(-RECENT)
    .toReversed();
  const waited = active.filter((job) => job.purpose.kind !== 'live').length;
  return (
    <Popover
      className="queue"
      align="end"
      label={t('queue.title')}
      trigger={
        <button type="button" className="queue-button" aria-label={t('queue.buttonLabel', { count: waited })}>
          {paused ? <Pause /> : <ListOrdered />}
          {waited > 0 ? <span className="badge num">{waited}</span> : null}
        </button>
      }
    >
      <div className="queue-head">
        <h3>{t('queue.title')}</h3>
        <IconButton
          label={t(paused ? 'queue.resume' : 'queue.pause')}
          icon={paused ? <Play /> : <Pause />}
          pressed={paused}
          onClick={() => studio.commands.run('generate.pause')}
        />
        <IconButton
          label={t('queue.cancelAll')}
          icon={<X />}
          disabled={active.length === 0}
          onClick={() => {
            for (const job of active) studio.attempt(() => cancel(studio, job.id));
          }}
        />
      </div>
      <div className="queue-list scroll">
        {active.length + ended.length === 0 ? <Empty title={t('queue.empty')}>{t('queue.emptyHint')}</Empty> : null}
        {active.map((job) => (
          <QueueJob key={job.id} job={job} first={job === active[0]} />
        ))}
        {ended.map((job) => (
          <QueueJob key={job.id} job={job} first={false} />
        ))}
      </div>
    </Popover>
  );
}

/** Patience before "stop at once" is offered beside "cancel", in milliseconds. */
const HARD_AFTER = 1500;

function QueueJob({ job, first }: { readonly job: JobSummary; readonly first: boolean }) {
  const studio = useStudio();
  const t = useT();
  const [cancelling, setCancelling] = useState(false);
  const [stuck, setStuck] = useState(false);
  useEffect(() => {
    if (!cancelling) return undefined;
    const timer = setTimeout(() => setStuck(true), HARD_AFTER);
    return () => clearTimeout(timer);
  }, [cancelling]);
  const active = isActive(job);
  const about = aboutWords(t, job);
  return (
    <div className="queue-job" data-state={job.state}>
      <span className="title ellipsis">
        {purposeWords(t, job)}
        {job.title ? <span className="scene"> · {job.title}</span> : null}
      </span>
      {about ? (
        <span className="about ellipsis" title={about}>
          {about}
        </span>
      ) : null}
      <span className="words num ellipsis" data-failed={job.state === 'failed'}>
        <StateWords job={job} />
      </span>
      <span className="buttons">
        {job.state === 'queued' && !first ? (
          <IconButton
            size="s"
            label={t('queue.toFront')}
            icon={<ArrowUpToLine />}
            onClick={() => studio.attempt(() => studio.api.call('queue.move', { job: job.id, to: 'front' }))}
          />
        ) : null}
        {job.state === 'queued' ? (
          <IconButton
            size="s"
            label={t('queue.toBack')}
            icon={<ArrowDownToLine />}
            onClick={() => studio.attempt(() => studio.api.call('queue.move', { job: job.id, to: 'back' }))}
          />
        ) : null}
        {active && stuck ? (
          <IconButton
            size="s"
            label={t('queue.hardStop')}
            icon={<Skull />}
            onClick={() => studio.attempt(() => cancel(studio, job.id, true))}
          />
        ) : null}
        {active ? (
          <IconButton
            size="s"
            label={t('generate.cancel')}
            icon={<X />}
            disabled={cancelling && !stuck}
            onClick={() => {
              setCancelling(true);
              studio.attempt(() => cancel(studio, job.id));
            }}
          />
        ) : null}
      </span>
      {job.state === 'running' ? <ProgressLine label={t('job.progress')} fraction={fractionOf(job.progress)} /> : null}
    </div>
  );
}

function StateWords({ job }: { readonly job: JobSummary }) {
  const studio = useStudio();
  const t = useT();
  switch (job.state) {
    case 'queued':
    case 'running':
      return <JobWords job={job} />;
    case 'failed': {
      const words = job.error ? hostWords({ message: withNames(studio, job.error.message) }).message : t('job.failed');
      return <span title={words}>{words}</span>;
    }
    case 'done':
    case 'cancelled':
      return t(`job.${job.state}`);
  }
}
