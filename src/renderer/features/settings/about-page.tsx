import { useEffect, useState } from 'react';
import type { CallOutput } from '#shared/api/calls.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';

const PAPER = 'https://arxiv.org/abs/2211.14305';

/** What this is, and what it has noted lately. */
export function AboutPage() {
  const studio = useStudio();
  const t = useT();
  const info = useSession((session) => session.info);
  const [log, setLog] = useState<CallOutput<'log.recent'>>([]);
  useEffect(() => {
    studio.attempt(async () => setLog(await studio.api.call('log.recent', {})));
  }, [studio]);
  return (
    <>
      <div className="field">
        <div className="field-words">
          <span className="field-label">
            {t('app.name')} {info?.version}
          </span>
          <small>{t('about.words')}</small>
        </div>
        <div className="field-control">
          <Button onClick={() => studio.attempt(() => studio.api.call('app.openExternal', { url: PAPER }))}>
            {t('about.paper')}
          </Button>
        </div>
      </div>
      <div className="settings-sub">
        <h3>{t('about.log')}</h3>
        <Button
          size="s"
          onClick={() => studio.attempt(() => navigator.clipboard.writeText(log.map(logLine).join('\n')))}
        >
          {t('about.copyLog')}
        </Button>
      </div>
      <div className="log scroll" tabIndex={0} role="log" aria-label={t('about.log')}>
        {log.length === 0 ? t('about.noLog') : log.map(logLine).join('\n')}
      </div>
    </>
  );
}

const logLine = (entry: CallOutput<'log.recent'>[number]): string =>
  `${new Date(entry.at).toISOString().slice(0, 19).replace('T', ' ')} ${entry.level} ${entry.message}`;
