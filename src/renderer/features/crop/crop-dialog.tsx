import './crop.css';
import { useRef, useState } from 'react';
import type { KeyboardEvent, PointerEvent } from 'react';
import type { Box, SlotContent } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio } from '../../app/studio.ts';
import type { Dialog as OpenDialog } from '../../store/view-store.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { fillSlot, mixWith } from '../segments/actions.ts';
import { boxBetween, moveBox, segmentBox } from './crop-box.ts';

type CropRequest = Extract<OpenDialog, { name: 'crop' }>;

/** Chooses the part of a result that fills a segment's slot. It begins with the segment's own place. */
export function CropDialog({ dialog, onClose }: { readonly dialog: CropRequest; readonly onClose: () => void }) {
  const studio = useStudio();
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const from = useRef<{ x: number; y: number } | null>(null);
  const result = studio.session.getState().results.find((one) => one.id === dialog.result);
  const document = studio.document.getState().document;
  const segment = document[dialog.segment];
  const size = { width: result?.width ?? 1, height: result?.height ?? 1 };
  const [box, setBox] = useState<Box>(() =>
    segment?.type === 'segment'
      ? segmentBox(document, segment, size)
      : { x: 0, y: 0, width: size.width, height: size.height },
  );
  if (!result || segment?.type !== 'segment') return null;

  const at = (event: PointerEvent): { x: number; y: number } => {
    const area = frame.current?.getBoundingClientRect();
    if (!area) return { x: 0, y: 0 };
    return {
      x: ((event.clientX - area.left) / area.width) * size.width,
      y: ((event.clientY - area.top) / area.height) * size.height,
    };
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = Math.max(1, Math.round(size.width / (event.shiftKey ? 16 : 64)));
    const by = ({ ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] } as Record<string, [number, number]>)[event.key]; // prettier-ignore
    if (!by) return;
    event.preventDefault();
    setBox(moveBox(box, by[0], by[1], size, event.altKey));
  };
  const use = (): void => {
    const content: SlotContent = { kind: 'crop', blob: result.picture, result: result.id, box, mask: null };
    if (dialog.part) mixWith(studio, segment.slot, content);
    else fillSlot(studio, segment.slot, content);
    onClose();
  };
  const percent = (value: number, whole: number): string => `${(value / whole) * 100}%`;
  return (
    <Dialog
      title={t('crop.title')}
      description={t('crop.hint')}
      size="l"
      onClose={onClose}
      footer={
        <>
          <span className="num">
            {Math.round(box.width)} × {Math.round(box.height)}
          </span>
          <span className="spacer" />
          <Button look="plain" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="accent" onClick={use}>
            {t('crop.use')}
          </Button>
        </>
      }
    >
      <div className="crop-stage">
        <div
          ref={frame}
          className="crop-frame"
          role="application"
          aria-label={t('crop.frame')}
          tabIndex={0}
          data-autofocus
          onKeyDown={onKeyDown}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            from.current = at(event);
          }}
          onPointerMove={(event) => {
            if (from.current) setBox(boxBetween(from.current, at(event), size));
          }}
          onPointerUp={() => {
            from.current = null;
          }}
        >
          <img src={studio.blobUrl(result.picture)} alt={result.text} draggable={false} />
          <div className="crop-clip">
            <div
              className="crop-box"
              style={{
                left: percent(box.x, size.width),
                top: percent(box.y, size.height),
                width: percent(box.width, size.width),
                height: percent(box.height, size.height),
              }}
            />
          </div>
        </div>
      </div>
    </Dialog>
  );
}
