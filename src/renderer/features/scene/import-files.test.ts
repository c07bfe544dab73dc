import { expect, test } from 'vitest';
import type { CallArguments, CallInput, Imported } from '#shared/api/calls.ts';
import { createScene } from '#shared/document/create.ts';
import { sceneOf } from '#shared/document/document.ts';
import { openDocument, testStudio } from '../../app/studio.testkit.ts';
import { addReference, importFiles, importFrom } from './actions.ts';

const scene = (taken: string[]): Imported => ({
  kind: 'scene',
  records: [createScene({ text: 'annotated' })],
  result: null,
  losses: [],
  taken,
});
const picture: Imported = { kind: 'image', blob: 'b'.repeat(64), width: 8, height: 8, hasAlpha: false };
const file = (name: string): File => new File([name], name);

test('annotations get the pictures that came with them; what they take is no picture of its own', async () => {
  const { studio, host } = testStudio();
  host.answer('document.new', () => ({ ...openDocument(), id: 'doc-2' }));
  host.answer('import.file', ({ name }: CallInput<'import.file'>) =>
    name.endsWith('.json') ? scene(['139.png', '139.jpg']) : picture,
  );
  const pictures: string[] = [];
  await importFiles(studio, ['139.png', 'set.json', 'other.png', '139.jpg'].map(file), (_, { name }) => {
    pictures.push(name);
  });
  const sent = host.sent<CallInput<'import.file'>>('import.file');
  expect(sent.map(({ name, beside }) => [name, beside?.map((one) => one.name)])).toEqual([
    ['set.json', ['139.png', 'other.png', '139.jpg']],
    ['other.png', undefined],
  ]);
  expect(new TextDecoder().decode(sent[0]?.beside?.[0]?.bytes)).toBe('139.png');
  expect(pictures).toEqual(['other.png']);
});

test('a picture with its scene opens with its seed, so that it can be made again; a changed scene does not', async () => {
  const { studio, host } = testStudio();
  host.answer('document.new', ({ records }: CallArguments<'document.new'>) => ({ ...openDocument(), records }));
  for (const [seed, seedLocked] of [
    [5, true],
    [6, false],
  ] as const) {
    host.answer('import.file', () => ({ ...scene([]), records: [createScene({ seed: 5, seedLocked: false })], seed }));
    await importFiles(studio, [file('a.png')], () => expect.unreachable());
    expect(sceneOf(studio.document.getState().document)).toMatchObject({ seed: 5, seedLocked });
  }
});

test('where an image has to be chosen a dialog asks, and the choice is sent with the same files', async () => {
  const { studio, host } = testStudio();
  const images = [{ image: '139.jpg', picture: '139.png', segments: 2, there: true }];
  host.answer('import.file', () => ({ kind: 'annotations' as const, images, total: 1, chosen: null }));
  const never = (): void => expect.unreachable();
  await importFiles(studio, ['139.png', 'set.json'].map(file), never);
  expect(host.sent('import.file')).toHaveLength(1);
  const { dialog } = studio.view.getState();
  if (dialog?.name !== 'annotations') throw new Error(`the dialog is ${dialog?.name}`);
  expect(dialog.found.images).toEqual(images);
  host.answer('document.new', () => ({ ...openDocument(), id: 'doc-2' }));
  host.answer('import.file', () => scene(['139.png']));
  await importFrom(studio, dialog.source, never, '139.jpg');
  expect(host.sent<CallInput<'import.file'>>('import.file').at(-1)).toMatchObject({
    name: 'set.json',
    image: '139.jpg',
    beside: [{ name: '139.png' }],
  });
  expect(studio.document.getState().id).toBe('doc-2');
});

test('a picture to draw after is seen at once, also below a result', () => {
  const { studio } = testStudio();
  const add = () => addReference(studio, { blob: 'c'.repeat(64), width: 300, height: 150 });
  add();
  expect(studio.view.getState().resultOpacity).toBe(1);
  expect(studio.session.getState().notices).toEqual([]);
  studio.view.setState({ shown: { kind: 'picture', picture: 'd'.repeat(64), job: 'job-1' } });
  add();
  expect(studio.view.getState().resultOpacity).toBeLessThan(0.5);
  expect(studio.session.getState().notices).toHaveLength(1);
  const references = Object.values(studio.document.getState().document).filter(({ type }) => type === 'reference');
  expect(references).toHaveLength(2);
});
