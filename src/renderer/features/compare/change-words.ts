import { formatNumber } from '../../app/format.ts';
import type { TextKey, Translate } from '../../app/i18n/texts.ts';

/**
 * The host says what changed in English sentences of a fixed form. Here each form has a text of the catalogue, so
 * that German readers get German, and the dials are called what the panel calls them. Groups of a pattern are the
 * text's values a, b, c in order; a sentence of no known form is shown as it came.
 */
const FORMS: readonly (readonly [RegExp, TextKey])[] = [
  [/^global dial (.+) → (.+)$/, 'change.scene'],
  [/^local dial (.+) → (.+)$/, 'change.segments'],
  [/^single dial (.+) → (.+)$/, 'change.single'],
  [/^guidance at work (.+) → (.+)$/, 'change.interval'],
  [/^guidance rescale (.+) → (.+)$/, 'change.rescale'],
  [/^guidance (.+) → (.+)$/, 'change.mode'],
  [/^sampler (.+) → (.+)$/, 'change.sampler'],
  [/^steps (.+) → (.+)$/, 'change.steps'],
  [/^eta (.+) → (.+)$/, 'change.eta'],
  [/^canvas (.+) → (.+)$/, 'change.canvas'],
  [/^start picture (.+) → (.+)$/, 'change.start'],
  [/^upscaling (.+) → (.+)$/, 'change.upscale'],
  [/^seed (.+) → (.+)$/, 'change.seed'],
  [/^pack (.+) → (.+)$/, 'change.pack'],
  [/^size (.+) → (.+)$/, 'change.size'],
  [/^global text (.+) → (.+)$/, 'change.globalText'],
  [/^negative text (.+) → (.+)$/, 'change.negative'],
  [/^text (.+) → (.+)$/, 'change.text'],
  [/^the segments lie in another order$/, 'change.order'],
  [/^a variation, strength (.+)$/, 'change.variation'],
  [/^enlarged (.+) times$/, 'change.enlarged'],
  [/^(.+) made anew, the rest kept$/, 'change.anew'],
  [/^(.+): weight (.+) → (.+)$/, 'change.weight'],
  [/^(.+): feather (.+) → (.+)$/, 'change.feather'],
  [/^(.+): grown by (.+) → (.+)$/, 'change.grow'],
  [/^(.+): smoothed by (.+) → (.+)$/, 'change.smooth'],
  [/^(.+): at work (.+) → (.+)$/, 'change.segmentInterval'],
  [/^(.+): negative text (.+) → (.+)$/, 'change.segmentNegative'],
  [/^(.+): another reading of the same words \((.+) → (.+)\)$/, 'change.reading'],
  [/^(.+): mix (.+) → (.+)$/, 'change.mix'],
  [/^(.+): filled by (.+) instead of (.+)$/, 'change.filled'],
  [/^(.+): another picture$/, 'change.picture'],
  [/^(.+) resized(?: and moved)? \((.+) → (.+)\)$/, 'change.resized'],
  [/^(.+) moved (.+)$/, 'change.moved'],
  [/^(.+) redrawn$/, 'change.redrawn'],
  [/^(.+) drawn$/, 'change.drawn'],
  [/^(.+) emptied$/, 'change.emptied'],
  [/^(.+) added$/, 'change.added'],
  [/^(.+) removed$/, 'change.removed'],
  [/^(.+) hidden$/, 'change.hidden'],
  [/^(.+) shown$/, 'change.shown'],
  [/^(.+) inverted$/, 'change.inverted'],
];

/** Words that stand for a value. */
const VALUES: Readonly<Record<string, TextKey>> = {
  nothing: 'change.value.nothing',
  none: 'change.value.none',
  throughout: 'change.value.throughout',
  multi: 'guidance.mode.multi',
  joint: 'guidance.mode.joint',
  single: 'guidance.mode.single',
  'a text': 'change.value.text',
  'a picture': 'change.value.picture',
  'a crop of a result': 'change.value.crop',
  'a mix': 'change.value.mix',
  'an unnamed segment': 'change.value.unnamed',
};

/** A sentence of the host in the interface's language. */
export function changeWords(t: Translate, sentence: string): string {
  for (const [form, key] of FORMS) {
    const match = form.exec(sentence);
    if (!match) continue;
    const [a = '', b = '', c = ''] = match.slice(1).map((value) => valueWords(t, value));
    return t(key, { a, b, c });
  }
  return sentence;
}

function valueWords(t: Translate, value: string): string {
  const key = VALUES[value];
  if (key) return t(key);
  if (/^-?\d+\.\d+$/.test(value)) return formatNumber(Number(value), value.split('.')[1]?.length ?? 0);
  const quoted = /^“(.*)”$/s.exec(value)?.[1];
  if (quoted !== undefined) return t('change.value.quoted', { text: quoted });
  // Directions: "12 px right, 4 px down".
  return value.replaceAll(/(\d+) px (right|left|up|down)/g, (_all, pixels: string, side: string) =>
    t(`change.value.${side as 'right' | 'left' | 'up' | 'down'}`, { pixels }),
  );
}
