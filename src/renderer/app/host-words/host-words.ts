import i18next from 'i18next';
import { MODEL_KEPT, MODEL_MESSAGES, MODEL_REMEDIES } from './sentences-models.de.ts';
import { KEPT, LOSSES, MESSAGES, REMEDIES } from './sentences.de.ts';

type Kind = 'message' | 'kept' | 'remedy' | 'loss';
type Form = readonly [RegExp, string];

const compile = (sentences: Readonly<Record<string, string>>): readonly Form[] =>
  Object.entries(sentences)
    // what is fixed in more places fits more closely
    .toSorted(([a], [b]) => fixedLength(b) - fixedLength(a))
    .map(([english, german]) => [new RegExp(`^${english.split('{}').map(escaped).join('(.+)')}$`, 's'), german]);

const escaped = (text: string): string => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

const fixedLength = (english: string): number => english.replaceAll('{}', '').length;

let forms: Readonly<Record<Kind, readonly Form[]>> | undefined;

/** A sentence of the host in German; undefined: it is not one of those that are known. */
function german(kind: Kind, sentence: string): string | undefined {
  forms ??= {
    message: compile({ ...MODEL_MESSAGES, ...MESSAGES }),
    kept: compile({ ...MODEL_KEPT, ...KEPT }),
    remedy: compile({ ...MODEL_REMEDIES, ...REMEDIES }),
    loss: compile(LOSSES),
  };
  for (const [form, words] of forms[kind]) {
    const match = form.exec(sentence);
    // A reason inside a message ("the history cannot be opened: the disk is full") is itself a sentence of the host.
    if (match) return words.replaceAll(/\{(\d)\}/g, (_all, part: string) => inner(kind, match[Number(part)] ?? ''));
  }
  return undefined;
}

const inner = (kind: Kind, part: string): string =>
  kind === 'message' || kind === 'loss' ? (german('message', part) ?? part) : part;

/** A notice or an error of the host, as far as it is told in sentences. */
interface Told {
  readonly message: string;
  readonly kept?: string | undefined;
  readonly remedy?: string | undefined;
}

/**
 * What the host says, in the interface's language. The host speaks English; a sentence that is not known here is
 * shown as it came.
 */
export function hostWords({ message, kept, remedy }: Told): Told {
  return {
    message: inLanguage('message', message),
    kept: kept === undefined ? undefined : inLanguage('kept', kept),
    remedy: remedy === undefined ? undefined : inLanguage('remedy', remedy),
  };
}

/** A device's name, or what is to be said of it, in the interface's language. */
export const deviceWords = (said: string): string => inLanguage('message', said);

/** What an export leaves out or an import could not read, in the interface's language. */
export const lossWords = (loss: string): string => inLanguage('loss', loss);

const inLanguage = (kind: Kind, sentence: string): string =>
  i18next.language === 'de' ? (german(kind, sentence) ?? sentence) : sentence;
