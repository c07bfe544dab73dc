import { Blend, ClipboardPaste, Crop, Dices, ImagePlus, Library, Type, X } from 'lucide-react';
import { useState } from 'react';
import { slotOf, slotText } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentRecord, SlotContent, SlotId } from '#shared/document/records.ts';
import { translate, useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { setSlot } from '../../store/recipes.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { anotherReading, fillSlot, mixWith, setText, unmix } from './actions.ts';
import { CropView } from './crop-view.tsx';
import { chooseFile, clipboardPicture, pictureContent, picturesIn } from './picture-input.ts';
import { slotWords } from './warning-words.ts';

/** What fills a segment: words, a picture, a crop of a result, an item of the library, or a mix of two. */
export function SlotEditor({ segment }: { readonly segment: SegmentRecord }) {
  const document = useDocument((state) => state.document);
  const { content } = slotOf(document, segment.slot);
  return (
    <div className="slot-card">
      {content.kind === 'text' ? <TextSlot slot={segment.slot} content={content} /> : null}
      {content.kind === 'image' || content.kind === 'crop' ? (
        <PictureSlot slot={segment.slot} content={content} />
      ) : null}
      {content.kind === 'mix' ? <MixSlot segment={segment} content={content} /> : null}
      {content.kind === 'mix' ? null : <FillButtons segment={segment} content={content} />}
    </div>
  );
}

type Kind<K extends SlotContent['kind']> = Extract<SlotContent, { kind: K }>;

function TextSlot({ slot, content }: { readonly slot: SlotId; readonly content: Kind<'text'> }) {
  const studio = useStudio();
  const t = useT();
  return (
    <>
      <textarea
        className="text-field"
        rows={2}
        aria-label={t('segments.text')}
        value={content.text}
        maxLength={LIMITS.text}
        placeholder={t('segments.textPlaceholder')}
        spellCheck={false}
        onChange={(event) => setText(studio, slot, event.currentTarget.value, `text:${slot}`)}
        onBlur={() => studio.document.seal()}
      />
      <div className="slot-buttons">
        <Button size="s" onClick={() => anotherReading(studio, slot)} title={t('slot.readingHint')}>
          <Dices />{' '}
          {content.reading === 0 ? t('slot.another') : t('slot.anotherNumber', { number: content.reading + 1 })}
        </Button>
        {content.reading > 0 ? (
          <IconButton
            size="s"
            label={t('slot.firstReading')}
            icon={<X />}
            onClick={() => fillSlot(studio, slot, { ...content, reading: 0 })}
          />
        ) : null}
      </div>
    </>
  );
}

function PictureSlot({ slot, content }: { readonly slot: SlotId; readonly content: Kind<'image' | 'crop'> }) {
  const studio = useStudio();
  const t = useT();
  const label = t(content.kind === 'crop' ? 'slot.crop' : 'slot.image');
  return (
    <div className="slot-picture">
      <CropView blob={content.blob} box={content.box} label={label} />
      <div>
        {label}
        <small>{t('slot.pictureHint')}</small>
      </div>
      <IconButton
        size="s"
        label={t('slot.backToText')}
        icon={<Type />}
        onClick={() => fillSlot(studio, slot, { kind: 'text', text: '', reading: 0 })}
      />
    </div>
  );
}

function MixSlot({ segment, content }: { readonly segment: SegmentRecord; readonly content: Kind<'mix'> }) {
  const studio = useStudio();
  const t = useT();
  const slot = segment.slot;
  return (
    <>
      <div className="mix-parts">
        <MixPart title={t('slot.mixA')} id={content.a} onKeep={() => unmix(studio, slot, 'a')} />
        <MixPart title={t('slot.mixB')} id={content.b} onKeep={() => unmix(studio, slot, 'b')} />
      </div>
      <SliderRow
        label={t('slot.blend')}
        value={Math.round(content.t * 100)}
        min={0}
        max={100}
        step={1}
        unit="%"
        onChange={(percent) =>
          studio.document.edit('edit.mix', (document) => setSlot(document, slot, { ...content, t: percent / 100 }), {
            extend: `mix:${slot}`,
          })
        }
        onDone={() => studio.document.seal()}
      />
    </>
  );
}

function MixPart({ title, id, onKeep }: { readonly title: string; readonly id: SlotId; readonly onKeep: () => void }) {
  const studio = useStudio();
  const t = useT();
  const document = useDocument((state) => state.document);
  const { content } = slotOf(document, id);
  return (
    <div className="mix-part">
      <small>{title}</small>
      {content.kind === 'text' ? (
        <input
          className="text-field"
          aria-label={title}
          value={content.text}
          maxLength={LIMITS.text}
          placeholder={t('segments.textPlaceholder')}
          onChange={(event) => setText(studio, id, event.currentTarget.value, `text:${id}`)}
          onBlur={() => studio.document.seal()}
        />
      ) : content.kind === 'mix' ? (
        <p className="ellipsis">{slotText(document, content) || slotWords(t, document, id)}</p>
      ) : (
        <CropView blob={content.blob} box={content.box} label={slotWords(t, document, id)} />
      )}
      <Button look="plain" size="s" onClick={onKeep}>
        {t('slot.keepOnly')}
      </Button>
    </div>
  );
}

/** Ways to fill the slot otherwise: directly, or (after "mix") as the second half of a mix. */
function FillButtons({ segment, content }: { readonly segment: SegmentRecord; readonly content: SlotContent }) {
  const studio = useStudio();
  const t = useT();
  const [mixing, setMixing] = useState(false);
  const [over, setOver] = useState(false);
  const shown = useView((view) => view.shown);
  const slot = segment.slot;
  const fill = (next: SlotContent): void => {
    if (mixing) mixWith(studio, slot, next);
    else fillSlot(studio, slot, next);
    setMixing(false);
  };
  const take = (file: File | null): void => {
    if (file) studio.attempt(async () => fill(await pictureContent(studio, file)));
  };
  return (
    <>
      <div
        className="slot-drop"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          event.stopPropagation();
          setOver(false);
          take(picturesIn(event.dataTransfer)[0] ?? null);
        }}
      >
        <ImagePlus />
        {t(mixing ? 'slot.dropMix' : 'slot.drop')}
      </div>
      <div className="slot-buttons">
        <Button size="s" onClick={() => studio.attempt(async () => take(await chooseFile('image/*')))}>
          <ImagePlus /> {t('slot.choose')}
        </Button>
        <Button size="s" onClick={() => studio.attempt(async () => take(await pasted()))}>
          <ClipboardPaste /> {t('slot.paste')}
        </Button>
        {shown.kind === 'result' ? (
          <Button
            size="s"
            onClick={() =>
              studio.view.openDialog({
                name: 'crop',
                segment: segment.id,
                result: shown.id,
                ...(mixing ? { part: 'b' as const } : {}),
              })
            }
          >
            <Crop /> {t('slot.fromResult')}
          </Button>
        ) : null}
        <Button size="s" onClick={() => studio.view.setState({ leftTab: 'library' })}>
          <Library /> {t('slot.fromLibrary')}
        </Button>
        {mixing ? (
          <Button size="s" onClick={() => fill({ kind: 'text', text: '', reading: 0 })}>
            <Type /> {t('slot.mixText')}
          </Button>
        ) : null}
        <Button
          size="s"
          look={mixing ? 'accent' : 'solid'}
          aria-pressed={mixing}
          disabled={content.kind === 'text' && content.text.trim() === ''}
          onClick={() => setMixing(!mixing)}
        >
          <Blend /> {t('slot.mixWith')}
        </Button>
      </div>
    </>
  );

  async function pasted(): Promise<File | null> {
    const file = await clipboardPicture();
    if (!file) studio.session.notify({ level: 'info', message: translate('slot.noClipboard') });
    return file;
  }
}
