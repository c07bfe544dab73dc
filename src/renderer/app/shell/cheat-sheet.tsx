import './palette.css';
import { Dialog } from '../../ui/dialog.tsx';
import { Shortcut } from '../../ui/shortcut.tsx';
import { COMMAND_GROUPS } from '../commands.ts';
import { useT } from '../i18n/texts.ts';
import { useStudio } from '../studio.ts';

/** All keys at a glance, from the commands themselves. */
export function CheatSheet({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const commands = studio.commands.list().filter((command) => (command.shortcuts ?? []).length > 0);
  return (
    <Dialog title={t('cheat.title')} description={t('cheat.more')} size="l" onClose={onClose}>
      <div className="dialog-body cheats" tabIndex={0} data-autofocus role="region" aria-label={t('cheat.title')}>
        {COMMAND_GROUPS.map((group) => (
          <section key={group}>
            <h3>{t(`group.${group}`)}</h3>
            <dl>
              {commands
                .filter((command) => command.group === group)
                .map((command) => (
                  <div key={command.id}>
                    <dt>{t(command.label)}</dt>
                    <dd>
                      <Shortcut keys={command.shortcuts?.[0] ?? ''} />
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
