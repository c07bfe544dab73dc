import type { StudioDocument } from '#shared/document/document.ts';
import { sceneOf, slotOf, slotText, toDocument } from '#shared/document/document.ts';
import { createScene } from '#shared/document/create.ts';
import type { SegmentRecord, SlotContent } from '#shared/document/records.ts';
import { StudioError } from '#shared/errors.ts';
import type { BitmapLookup } from '#shared/masks/rasterize.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { resizePicture } from '../image/picture.ts';
import type { Picture } from '../image/picture.ts';
import type { OpenPack } from '../packs/open-pack.ts';
import { scorePicture } from '../pipelines/pixel/finish.ts';
import type { Scored } from '../pipelines/pixel/finish.ts';
import { enlargePicture } from '../pipelines/pixel/enlarge-picture.ts';
import type { SessionSettings } from '../runtime/sessions.ts';
import { PixelModel } from '../spatext/pixel-model.ts';
import { SlotFiller } from '../spatext/slots.ts';
import { parseWeights } from '../tokenizer/prompt.ts';
import type { Size } from './view.ts';

/** A picture's scores, with the name of the space in which they were measured. */
export interface CompanionScores extends Scored {
  /** In the order of the segments: their words. */
  readonly words: readonly string[];
  readonly space: string;
}

/**
 * The embedded pack beside a stock model: its CLIP judges the pictures and searches among them. It is small and saw
 * other pictures than the stock model did, so its scores compare pictures of one scene; the space says whose they are.
 */
export class Companion {
  readonly #find: () => Promise<OpenPack | null>;
  readonly #settings: SessionSettings;
  #open: Promise<{ model: PixelModel; filler: SlotFiller } | null> | undefined;

  constructor(find: () => Promise<OpenPack | null>, settings: SessionSettings) {
    this.#find = find;
    this.#settings = settings;
  }

  #model(): Promise<{ model: PixelModel; filler: SlotFiller } | null> {
    this.#open ??= this.#find()
      .then((pack) => {
        if (!pack) return null;
        const model = new PixelModel(pack, this.#settings);
        return { model, filler: new SlotFiller(model) };
      })
      .catch(() => null);
    return this.#open;
  }

  async exists(): Promise<boolean> {
    return (await this.#model()) !== null;
  }

  /**
   * Scores of a finished picture; null if there is no embedded pack, or it fails: a judge's trouble must not cost the
   * picture.
   */
  async score(
    picture: Picture,
    document: StudioDocument,
    records: readonly SegmentRecord[],
    bitmaps: BitmapLookup,
    blobs: BlobStore,
  ): Promise<CompanionScores | null> {
    const open = await this.#model();
    if (!open) return null;
    const { model, filler } = open;
    try {
      const words = records.map((record) => plain(slotText(document, slotOf(document, record.slot).content)));
      const global = plain(sceneOf(document).text);
      const { text } = await model.encodeTexts([...words, global].filter((one) => one !== ''));
      let next = 0;
      const textOf = (one: string): Float32Array | null => (one === '' ? null : (text[next++] ?? null));
      const segments = [];
      for (const [i, record] of records.entries()) {
        const { content } = slotOf(document, record.slot);
        const shown = content.kind === 'image' || content.kind === 'crop';
        const [filled] = shown ? await filler.fill([content], document, blobs, async () => undefined) : [];
        segments.push({ record, slot: { text: textOf(words[i] ?? ''), embedding: filled?.embedding ?? null } });
      }
      const scored = await scorePicture(model, picture, document, { segments, globalText: textOf(global) }, bitmaps);
      return { ...scored, words, space: model.space };
    } catch {
      return null;
    }
  }

  /** The embedding of a slot's content, as the embedded pack has it. @throws StudioError unsupported without that pack */
  async embed(content: SlotContent, blobs: BlobStore): Promise<{ values: Float32Array; space: string }> {
    if (content.kind === 'mix') throw new StudioError('bad-use', 'a mix has no embedding without its scene');
    const open = await this.#model();
    if (!open)
      throw new StudioError('unsupported', 'there is no embedded pack to search with', {
        remedy: 'install the studio again',
      });
    const [filled] = await open.filler.fill([content], toDocument([createScene()]), blobs, async () => undefined);
    if (!filled) throw new StudioError('internal', 'the slot was not filled');
    return { values: filled.embedding, space: open.model.space };
  }

  /** The picture at that size by super-resolution, as often as it takes, then exactly. @throws StudioError unsupported */
  async enlarge(picture: Picture, target: Size, breathe: () => Promise<void>): Promise<Picture> {
    if (picture.width >= target.width) return resizePicture(picture, target.width, target.height);
    const open = await this.#model();
    if (!open)
      throw new StudioError('unsupported', 'there is no embedded pack to enlarge the picture with', {
        kept: 'the picture is unchanged',
        remedy: 'install the studio again, or choose a smaller factor',
      });
    let larger = picture;
    while (larger.width < target.width) larger = await enlargePicture(open.model, larger, breathe);
    return resizePicture(larger, target.width, target.height);
  }

  async release(): Promise<void> {
    const open = await this.#open;
    this.#open = undefined;
    await open?.model.release();
  }
}

/** The words without the weights that only stock models read. */
const plain = (text: string): string =>
  parseWeights(text)
    .map((part) => part.text)
    .join('')
    .trim();
