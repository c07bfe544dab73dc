import type { Settings } from '#shared/api/settings.ts';

export type Theme = 'dark' | 'light' | 'high-contrast';

/** The theme of a settings value, given what the system prefers. */
export function resolveTheme(setting: Settings['theme'], prefers: { light: boolean; moreContrast: boolean }): Theme {
  if (setting !== 'system') return setting;
  if (prefers.moreContrast) return 'high-contrast';
  return prefers.light ? 'light' : 'dark';
}

export const resolveMotion = (setting: Settings['reducedMotion'], prefersReduced: boolean): 'full' | 'reduced' =>
  setting === 'on' || (setting === 'system' && prefersReduced) ? 'reduced' : 'full';

/** Keeps the root element's theme and motion in step with the settings and the system. @returns the end of it */
export function followTheme(current: () => Settings, onSettings: (listener: () => void) => () => void): () => void {
  const light = matchMedia('(prefers-color-scheme: light)');
  const contrast = matchMedia('(prefers-contrast: more)');
  const motion = matchMedia('(prefers-reduced-motion: reduce)');
  const apply = (): void => {
    const { theme, reducedMotion } = current();
    const root = document.documentElement;
    root.dataset.theme = resolveTheme(theme, { light: light.matches, moreContrast: contrast.matches });
    root.dataset.motion = resolveMotion(reducedMotion, motion.matches);
  };
  apply();
  const queries = [light, contrast, motion];
  for (const query of queries) query.addEventListener('change', apply);
  const stop = onSettings(apply);
  return () => {
    stop();
    for (const query of queries) query.removeEventListener('change', apply);
  };
}
