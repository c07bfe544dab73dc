import './settings.css';
import { Boxes, HardDrive, Info, SlidersHorizontal } from 'lucide-react';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio } from '../../app/studio.ts';
import type { Dialog as OpenDialog } from '../../store/view-store.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { PacksPage } from '../packs/packs-page.tsx';
import { AboutPage } from './about-page.tsx';
import { GeneralPage } from './general-page.tsx';
import { StoragePage } from './storage-page.tsx';

type Page = NonNullable<Extract<OpenDialog, { name: 'settings' }>['page']>;
const PAGES = [
  { page: 'general', icon: SlidersHorizontal },
  { page: 'models', icon: Boxes },
  { page: 'storage', icon: HardDrive },
  { page: 'about', icon: Info },
] as const satisfies readonly { page: Page; icon: unknown }[];

export function SettingsDialog({ page, onClose }: { readonly page: Page; readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const settings = useSession((session) => session.settings);
  return (
    <Dialog title={t('settings.title')} size="l" onClose={onClose}>
      <div className="settings">
        <nav className="settings-nav" aria-label={t('settings.title')}>
          {PAGES.map(({ page: one, icon: Icon }) => (
            <button
              key={one}
              type="button"
              className="nav-item"
              aria-current={one === page}
              {...(one === page ? { 'data-autofocus': true } : {})}
              onClick={() => studio.view.openDialog({ name: 'settings', page: one })}
            >
              <Icon />
              {t(`settings.page.${one}`)}
            </button>
          ))}
        </nav>
        <div className="settings-page scroll">
          {page === 'general' ? <GeneralPage settings={settings} /> : null}
          {page === 'models' ? <PacksPage /> : null}
          {page === 'storage' ? <StoragePage settings={settings} /> : null}
          {page === 'about' ? <AboutPage /> : null}
        </div>
      </div>
    </Dialog>
  );
}
