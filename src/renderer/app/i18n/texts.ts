import i18next from 'i18next';
import { useMemo } from 'react';
import { initReactI18next, useTranslation } from 'react-i18next';
import { de } from './de.ts';
import { en } from './en.ts';

/** Catalogue keys; plural forms (`_one`, `_other`) count as one key. */
export type TextKey = Unplural<keyof typeof en>;
type Unplural<K> = K extends `${infer Base}_one` | `${infer Base}_other` ? Base : K;

export type TextValues = Readonly<Record<string, string | number>>;
export type Translate = (key: TextKey, values?: TextValues) => string;

export const LANGUAGES = { en, de } as const;
export type Language = keyof typeof LANGUAGES;

/** The language of a settings value; `locale` is the system's, as in `de-AT`. */
export const resolveLanguage = (setting: Language | 'system', locale: string): Language =>
  setting === 'system' ? (locale.toLowerCase().startsWith('de') ? 'de' : 'en') : setting;

/** Keys are flat (`area.text`), so that a search for a key finds its uses. */
export async function startTexts(language: Language): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'en',
    resources: { en: { translation: en }, de: { translation: de } },
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
  });
}

export const setLanguage = async (language: Language): Promise<void> => {
  await i18next.changeLanguage(language);
};

/** For code outside of components. */
export const translate: Translate = (key, values) => i18next.t(key, { ...values });

/** Texts in the artist's language. */
export function useT(): Translate {
  const { t } = useTranslation();
  return useMemo<Translate>(() => (key, values) => t(key, { ...values }), [t]);
}

/** The words for an undo step: its label is a key, or (from a later release) plain words. */
export const labelText = (label: string): string => (i18next.exists(label) ? i18next.t(label) : label);
