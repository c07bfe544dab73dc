import { useEffect, useState } from 'react';
import { formatBytes } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio } from '../../app/studio.ts';
import { Button } from '../../ui/button.tsx';

/** Says of the model that is held in memory how much that is, and when it goes. */
export function OpenModelLine({ pack }: { readonly pack: string }) {
  const studio = useStudio();
  const t = useT();
  const open = useSession((session) => session.openModel);
  const [now, setNow] = useState(() => Date.now());
  const restsAt = open?.pack === pack ? open.restsAt : null;
  useEffect(() => {
    if (restsAt === null) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, [restsAt]);
  if (open?.pack !== pack) return null;
  const size = formatBytes(open.bytes);
  return (
    <div className="facts-line num open-model">
      {restsAt === null
        ? t('packs.open', { size })
        : t('packs.openUntil', { size, minutes: Math.max(1, Math.ceil((restsAt - now) / 60_000)) })}
      <Button size="s" onClick={() => studio.attempt(() => studio.api.call('packs.rest', {}))}>
        {t('packs.rest')}
      </Button>
    </div>
  );
}
