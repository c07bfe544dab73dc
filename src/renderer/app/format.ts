import i18next from 'i18next';

const number = (value: number, digits: number): string =>
  value.toLocaleString(i18next.language || 'en', {
    useGrouping: false,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });

/** Bytes as people read them: 212 MB, 1.5 GB (decimal units). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(value, unit === 0 || value >= 10 || Number.isInteger(value) ? 0 : 1)} ${units[unit] ?? ''}`;
}

/** A duration as people read it: 1.2 s, 24 s, 3 min 05 s. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${number(seconds, 1)} s`;
  if (seconds < 59.5) return `${number(seconds, 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

export const formatNumber = number;

/** Day and time in the artist's language. */
export const formatDate = (at: number): string =>
  new Intl.DateTimeFormat(i18next.language || 'en', { dateStyle: 'medium', timeStyle: 'short' }).format(at);

/** Today's results by time, older ones by day. */
export const formatWhen = (at: number, now: number): string =>
  new Date(at).toDateString() === new Date(now).toDateString()
    ? new Intl.DateTimeFormat(i18next.language || 'en', { timeStyle: 'short' }).format(at)
    : new Intl.DateTimeFormat(i18next.language || 'en', { dateStyle: 'medium' }).format(at);
