import './palette.css';
import { Command as Cmdk } from 'cmdk';
import { Dialog } from '../../ui/dialog.tsx';
import { Shortcut } from '../../ui/shortcut.tsx';
import { COMMAND_GROUPS } from '../commands.ts';
import { nearness } from '../command-search.ts';
import { useT } from '../i18n/texts.ts';
import { useStudio } from '../studio.ts';

/** Every command by its name. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const commands = studio.commands.list().filter((command) => !command.hidden);
  return (
    <Dialog title={t('command.app.palette')} bare onClose={onClose}>
      <Cmdk className="palette" label={t('command.app.palette')} filter={nearness} loop>
        <Cmdk.Input data-autofocus placeholder={t('palette.placeholder')} />
        <Cmdk.List>
          <Cmdk.Empty>{t('palette.none')}</Cmdk.Empty>
          {COMMAND_GROUPS.map((group) => (
            <Cmdk.Group key={group} heading={t(`group.${group}`)}>
              {commands
                .filter((command) => command.group === group)
                .map((command) => (
                  <Cmdk.Item
                    key={command.id}
                    value={`${t(command.label)} ${command.id}`}
                    disabled={!studio.commands.enabled(command.id)}
                    onSelect={() => {
                      // Closed first: the command may open a dialog of its own.
                      onClose();
                      studio.commands.run(command.id);
                    }}
                  >
                    <span>{t(command.label)}</span>
                    {command.shortcuts?.[0] ? <Shortcut keys={command.shortcuts[0]} /> : null}
                  </Cmdk.Item>
                ))}
            </Cmdk.Group>
          ))}
        </Cmdk.List>
      </Cmdk>
    </Dialog>
  );
}
