import { Blend, ClipboardPaste, Crop, Dices, ImagePlus, Library, Type, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';
import { slotOf, slotText } from '#shared/document/document.ts';
import { LIMITS } from '#shared/document/limits.ts';
import type { SegmentRecord, SlotContent, SlotId } from '#shared/document/records.ts';
import { translate, useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import type { Studio } from '../../app/studio.ts';
import { setSlot } from '../../store/recipes.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';
import { anotherReading, fillSlot, mixWith, setText, unmix } from './actions.ts';
import { CropView } from './crop-view.tsx';
import { chooseFile, clipboardPicture, pictureContent, picturesIn } from './picture-input.ts';
import { useTyping } from './use-typing.ts';
import { slotWords } from './warning-words.ts';

/** What fills a segment: words, a picture, a crop of a result, an item of the library, or a mix of two. */
export function SlotEditor({ segment }: { readonly segment: SegmentRecord }) {
  const studio = useStudio();
  const t = useT();
  const document = useDocument((state) => state.document);
  const [over, setOver] = useState(false);
  const { content } = slotOf(document, segment.slot);
  return (
    <div
      className="slot-card"
      data-over={over}
      data-hint={t('slot.drop')}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        const file = picturesIn(event.dataTransfer)[0];
        setOver(false);
        if (!file) return;
        event.preventDefault();
        event.stopPropagation();
        studio.attempt(async () => fillSlot(studio, segment.slot, await pictureContent(studio, file)));
      }}
    >
      {content.kind === 'text' ? <TextSlot slot={segment.slot} content={content} /> : null}
      {content.kind === 'image' || content.kind === 'crop' ? (
        <PictureSlot slot={segment.slot} content={content} />
      ) : null}
      {content.kind === 'mix' ? (
        <MixSlot segment={segment} content={content} />
      ) : (
        <FillButtons segment={segment} content={content} />
      )}
    </div>
  );
}

/** The field of a slot that was asked for words takes the keyboard, whether it is there already or appears for it. */
function useWriting<E extends HTMLElement>(slot: SlotId): RefObject<E | null> {
  const studio = useStudio();
  const field = useRef<E>(null);
  const asked = useView((view) => view.writing === slot);
  useEffect(() => {
    if (!asked) return;
    field.current?.focus();
    studio.view.setState({ writing: null });
  }, [asked, studio]);
  return field;
}

type Kind<K extends SlotContent['kind']> = Extract<SlotContent, { kind: K }>;

function TextSlot({ slot, content }: { readonly slot: SlotId; readonly content: Kind<'text'> }) {
  const studio = useStudio();
  const t = useT();
  const field = useWriting<HTMLTextAreaElement>(slot);
  const typing = useTyping((text) => setText(studio, slot, text, `text:${slot}`));
  return (
    <>
      <textarea
        ref={field}
        className="text-field"
        rows={2}
        aria-label={t('segments.text')}
        value={content.text}
        maxLength={LIMITS.text}
        placeholder={t('segments.textPlaceholder')}
        {...typing}
      />
      <div className="slot-buttons">
        <Button size="s" look="plain" onClick={() => anotherReading(studio, slot)} title={t('slot.readingHint')}>
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
        onClick={() => {
          fillSlot(studio, slot, { kind: 'text', text: '', reading: 0 });
          studio.view.setState({ writing: slot });
        }}
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
  const field = useWriting<HTMLInputElement>(id);
  const typing = useTyping((text) => setText(studio, id, text, `text:${id}`));
  const { content } = slotOf(document, id);
  return (
    <div className="mix-part">
      <small>{title}</small>
      {content.kind === 'text' ? (
        <input
          ref={field}
          className="text-field"
          aria-label={title}
          value={content.text}
          maxLength={LIMITS.text}
          placeholder={t('segments.textPlaceholder')}
          {...typing}
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
  const empty = content.kind === 'text' && content.text.trim() === '';
  return (
    <div className="fill-row" data-mixing={mixing}>
      <span className="fill-words ellipsis">{t(mixing ? 'slot.mixWithWhat' : 'slot.insteadOfWords')}</span>
      {mixing ? (
        <IconButton
          size="s"
          label={t('slot.mixText')}
          icon={<Type />}
          onClick={() => {
            studio.view.setState({ writing: mixWith(studio, slot, { kind: 'text', text: '', reading: 0 }) });
            setMixing(false);
          }}
        />
      ) : null}
      <IconButton
        size="s"
        label={t('slot.choose')}
        icon={<ImagePlus />}
        onClick={() => studio.attempt(async () => take(await chooseFile('image/*')))}
      />
      <IconButton
        size="s"
        label={t('slot.paste')}
        icon={<ClipboardPaste />}
        onClick={() => studio.attempt(async () => take(await pasted(studio)))}
      />
      <IconButton
        size="s"
        label={t('slot.fromResult')}
        icon={<Crop />}
        disabled={shown.kind !== 'result'}
        onClick={() => {
          if (shown.kind !== 'result') return;
          studio.view.openDialog({
            name: 'crop',
            segment: segment.id,
            result: shown.id,
            ...(mixing ? { part: 'b' as const } : {}),
          });
        }}
      />
      <IconButton
        size="s"
        label={t('slot.fromLibrary')}
        icon={<Library />}
        onClick={() => studio.view.setState({ leftTab: 'library' })}
      />
      <IconButton
        size="s"
        label={t(mixing ? 'slot.mixStop' : 'slot.mixWith')}
        icon={<Blend />}
        pressed={mixing}
        disabled={empty}
        onClick={() => setMixing(!mixing)}
      />
    </div>
  );
}

async function pasted(studio: Studio): Promise<File | null> {
  const file = await clipboardPicture();
  if (!file) studio.session.notify({ level: 'info', message: translate('slot.noClipboard') });
  return file;
}
