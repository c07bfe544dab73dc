/**
 * How near a command's name is to what was typed, 0 (not meant) to 1. Every typed word has to begin a word of the name
 * or to stand inside one; letters picked from all over a name mean nothing to a person.
 */
export function nearness(name: string, typed: string): number {
  const words = wordsOf(name);
  const wanted = wordsOf(typed);
  let sum = 0;
  for (const want of wanted) {
    const best = Math.max(0, ...words.map((word) => nearnessOfWord(word, want)));
    if (best === 0) return 0;
    sum += best;
  }
  return wanted.length === 0 ? 1 : sum / wanted.length;
}

function nearnessOfWord(word: string, want: string): number {
  if (word === want) return 1;
  if (word.startsWith(want)) return 0.8;
  return want.length > 1 && word.includes(want) ? 0.4 : 0;
}

/** Accents do not count: who types "loschen" means "löschen". */
const wordsOf = (text: string): string[] =>
  text
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
