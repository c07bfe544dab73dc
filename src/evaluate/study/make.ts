import { createHash } from 'node:crypto';
import { encodePng } from '#engine/image/picture.ts';
import { sceneOf } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import type { Sample } from '../sample.ts';
import { seededRandom } from '../statistics.ts';
import { layoutSvg } from './layout.ts';
import { studyPage } from './page.ts';
import { planStudy } from './study.ts';
import type { Study, StudyScene } from './study.ts';

export interface StudyInput {
  readonly methods: readonly [string, string];
  readonly first: readonly Sample[];
  readonly second: readonly Sample[];
  readonly seed: number;
  /** Writes a file of the study; names have at most one folder in front. */
  readonly write: (name: string, bytes: Uint8Array) => Promise<unknown>;
}

/**
 * Makes a study in pairs of the scenes that both methods have pictures of: index.html for the raters with its pictures,
 * and study.json, which stays with whoever tallies. Pictures are written anew under numbers, so that neither names nor
 * metadata give a method away.
 * @throws StudioError bad-input if the two have no scene in common
 */
export async function makeStudy(input: StudyInput): Promise<Study> {
  const theirs = new Map(input.second.map((sample) => [sample.name, sample]));
  const common = input.first.flatMap((first) => {
    const second = theirs.get(first.name);
    return second ? [{ first, second }] : [];
  });
  if (common.length === 0)
    throw new StudioError('bad-input', 'the two folders have no pictures of the same name', {
      remedy: 'generate both from the same scenes with the same seeds',
    });
  const random = seededRandom(input.seed);
  const numbers = new Set<number>();
  const unused = (): string => {
    let number = random(1e6);
    while (numbers.has(number)) number = random(1e6);
    numbers.add(number);
    return String(number).padStart(6, '0');
  };
  const content = createHash('sha256').update(`${input.methods.join('\n')}\n${input.seed}`);
  const scenes: StudyScene[] = [];
  for (const { first, second } of common) {
    const files: string[] = [];
    for (const sample of [first, second]) {
      const bytes = await encodePng(await sample.readPicture());
      content.update(bytes);
      files.push(`pictures/${unused()}.png`);
      await input.write(files.at(-1) ?? '', bytes);
    }
    const layout = `pictures/${unused()}.svg`;
    await input.write(layout, new TextEncoder().encode(layoutSvg(first.document, first.bitmaps)));
    scenes.push({
      name: first.name,
      text: sceneOf(first.document).text,
      first: files[0] ?? '',
      second: files[1] ?? '',
      layout,
    });
  }
  const study = planStudy(content.digest('hex').slice(0, 12), input.methods, scenes, input.seed);
  await input.write('index.html', new TextEncoder().encode(studyPage(study)));
  return study;
}
