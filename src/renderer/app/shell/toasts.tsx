import { CircleAlert, Info, TriangleAlert, X } from 'lucide-react';
import { useEffect } from 'react';
import type { Notice } from '../../store/session-store.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { useT } from '../i18n/texts.ts';
import { useSession, useStudio } from '../studio.ts';

const ICONS = { info: Info, warning: TriangleAlert, error: CircleAlert } as const;
/** Errors stay until read. */
const SHOWN_MS = { info: 5000, warning: 12_000, error: Number.POSITIVE_INFINITY } as const;
/** An offer has to be read and thought about. */
const OFFER_MS = 60_000;

/** Notices at the lower right: what happened, what was kept, what to do. */
export function Toasts() {
  const notices = useSession((session) => session.notices);
  const t = useT();
  return (
    <div className="toasts" role="region" aria-label={t('shell.notices')} aria-live="polite">
      {notices.map((notice) => (
        <Toast key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function Toast({ notice }: { readonly notice: Notice }) {
  const studio = useStudio();
  const t = useT();
  const Icon = ICONS[notice.level];
  useEffect(() => {
    const wait = notice.action ? Math.max(OFFER_MS, SHOWN_MS[notice.level]) : SHOWN_MS[notice.level];
    if (!Number.isFinite(wait)) return undefined;
    const timer = setTimeout(() => studio.session.dismiss(notice.id), wait);
    return () => clearTimeout(timer);
  }, [notice, studio]);
  return (
    <div className={`toast toast-${notice.level}`} {...(notice.level === 'error' ? { role: 'alert' } : {})}>
      <Icon />
      <div>
        <p>{sentence(notice.message)}</p>
        {notice.kept ? (
          <small>
            <b>{t('notice.kept')}</b> {notice.kept}
          </small>
        ) : null}
        {notice.remedy ? (
          <small>
            <b>{t('notice.remedy')}</b> {notice.remedy}
          </small>
        ) : null}
        {notice.action ? (
          <Button
            size="s"
            onClick={() => {
              notice.action?.run();
              studio.session.dismiss(notice.id);
            }}
          >
            {notice.action.label}
          </Button>
        ) : null}
      </div>
      <IconButton label={t('ui.dismiss')} icon={<X />} size="s" onClick={() => studio.session.dismiss(notice.id)} />
    </div>
  );
}

/** Errors are written as clauses; here each begins a sentence. The name of a file stays as it is. */
const sentence = (text: string): string =>
  /^\S*\.\w/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
