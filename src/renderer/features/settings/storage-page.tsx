import type { Settings } from '#shared/api/settings.ts';
import { formatBytes } from '../../app/format.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useSession, useStudio } from '../../app/studio.ts';
import { NumberField } from '../../ui/number-field.tsx';
import { Field } from '../../ui/parts.tsx';
import { setSettings } from './general-page.tsx';

/** Room that the history may take. */
export function StoragePage({ settings }: { readonly settings: Settings }) {
  const studio = useStudio();
  const t = useT();
  const usage = useSession((session) => session.usage);
  const fraction = usage ? Math.min(1, usage.bytes / usage.budget) : 0;
  return (
    <>
      <Field label={t('settings.budget')} hint={t('settings.budgetHint')}>
        <span className="form-row">
          <NumberField
            label={t('settings.budget')}
            value={settings.historyBudget / 1e9}
            min={0.05}
            max={2000}
            step={1}
            digits={1}
            unit="GB"
            onChange={(gigabytes) => setSettings(studio, { historyBudget: Math.round(gigabytes * 1e9) })}
          />
        </span>
      </Field>
      {usage ? (
        <Field
          label={t('settings.used', { used: formatBytes(usage.bytes), budget: formatBytes(usage.budget) })}
          hint={t('settings.results', { count: usage.results })}
        >
          <div className="bar" role="img" aria-label={`${Math.round(fraction * 100)} %`}>
            <i style={{ width: `${fraction * 100}%` }} />
          </div>
        </Field>
      ) : null}
    </>
  );
}
