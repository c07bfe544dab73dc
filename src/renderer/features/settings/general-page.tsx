import type { Settings, SettingsPatch } from '#shared/api/settings.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { Field, SwitchRow } from '../../ui/parts.tsx';
import { Select } from '../../ui/select.tsx';

/** Shown at once; put back by the host's answer if it refuses. */
export function setSettings(studio: Studio, patch: SettingsPatch): void {
  studio.attempt(async () => studio.session.setState({ settings: await studio.api.call('settings.set', patch) }));
}

export function GeneralPage({ settings }: { readonly settings: Settings }) {
  const studio = useStudio();
  const t = useT();
  return (
    <>
      <Field label={t('settings.theme')}>
        <Select
          label={t('settings.theme')}
          value={settings.theme}
          choices={(['system', 'dark', 'light', 'high-contrast'] as const).map((value) => ({
            value,
            label: t(`settings.theme.${value}`),
          }))}
          onChange={(theme) => setSettings(studio, { theme })}
        />
      </Field>
      <Field label={t('settings.language')}>
        <Select
          label={t('settings.language')}
          value={settings.language}
          choices={[
            { value: 'system', label: t('settings.system') },
            // Languages name themselves, so that a wrong choice can be undone by reading.
            { value: 'en', label: 'English' },
            { value: 'de', label: 'Deutsch' },
          ]}
          onChange={(language) => setSettings(studio, { language })}
        />
      </Field>
      <Field label={t('settings.motion')} hint={t('settings.motionHint')}>
        <Select
          label={t('settings.motion')}
          value={settings.reducedMotion}
          choices={(['system', 'on', 'off'] as const).map((value) => ({ value, label: t(`settings.motion.${value}`) }))}
          onChange={(reducedMotion) => setSettings(studio, { reducedMotion })}
        />
      </Field>
      <SwitchRow
        label={t('settings.rulers')}
        checked={settings.showRulers}
        onChange={(showRulers) => setSettings(studio, { showRulers })}
      />
      <SwitchRow
        label={t('settings.live')}
        hint={t('settings.liveHint')}
        checked={settings.live}
        onChange={(live) => {
          studio.view.setState({ live });
          setSettings(studio, { live });
        }}
      />
    </>
  );
}
