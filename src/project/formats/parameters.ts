import { sceneOf, segmentsOf, slotOf, slotText } from '#shared/document/document.ts';
import type { StudioDocument } from '#shared/document/document.ts';
import type { Result } from '#shared/api/generation.ts';

/**
 * The settings as the text that picture viewers and sites of the field read (key `parameters`): the text, the
 * negative text, then one line of `Name: value`. Our segments have no place in it and come as further names.
 */
export function parametersText(document: StudioDocument, result: Result | null): string {
  const scene = sceneOf(document);
  const { guidance, sampler } = scene;
  const scale = guidance.mode === 'single' ? guidance.scale : guidance.globalScale;
  const values: [string, string | number][] = [
    ['Steps', sampler.steps],
    ['Sampler', sampler.name],
    ['CFG scale', scale],
    ['Seed', result?.seed ?? scene.seed],
    ['Size', result ? `${result.width}x${result.height}` : `${scene.width}x${scene.height}`],
  ];
  if (result) values.push(['Model', result.pack.name], ['Model hash', result.pack.fingerprint.slice(0, 10)]);
  if (guidance.mode !== 'single') values.push(['SpaText local scale', guidance.localScale]);
  values.push(['SpaText guidance', guidance.mode]);
  const segments = segmentsOf(document)
    .filter((segment) => segment.visible)
    .map((segment) => slotText(document, slotOf(document, segment.slot).content))
    .filter(Boolean);
  if (segments.length > 0) values.push(['SpaText segments', segments.join(' | ')]);
  const lines = [oneLine(scene.text)];
  if (scene.negativeText) lines.push(`Negative prompt: ${oneLine(scene.negativeText)}`);
  lines.push(values.map(([name, value]) => `${name}: ${quoted(String(value))}`).join(', '));
  return lines.join('\n');
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** Values with a comma, colon or line break are written as JSON strings, as readers of this text expect. */
const quoted = (value: string): string => (/[,:\n"]/.test(value) ? JSON.stringify(value) : value);
