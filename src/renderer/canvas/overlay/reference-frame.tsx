import { useEffect, useLayoutEffect, useRef } from 'react';
import type { KeyboardEvent, PointerEvent } from 'react';
import type { Point } from '#shared/document/geometry.ts';
import type { ReferenceId, ReferenceRecord } from '#shared/document/records.ts';
import { useT } from '../../app/i18n/texts.ts';
import { useDocument, useStudio, useView } from '../../app/studio.ts';
import { moveReference, referenceBounds, scaleReference } from '../edit/place-reference.ts';
import { centreOf, cornersOf } from '../geometry/boxes.ts';
import type { Stage } from '../stage.ts';

/** Screen pixels that a press must move to be a drag; less is a click on what lies there. */
const SLIP = 3;
const CORNERS = ['nw', 'ne', 'se', 'sw'] as const;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
const LARGER = 1.05;

/** The frame around the reference picture that is being placed. */
export function ReferenceFrame({ stage }: { readonly stage: Stage }) {
  // other tools draw over the picture: the frame would be in their way
  const chosen = useView((state) => (state.tool === 'select' ? state.reference : null));
  const { record, number } = useDocument(({ document }) => {
    const references = Object.values(document).filter(({ type }) => type === 'reference');
    const found = chosen ? document[chosen] : undefined;
    return {
      record: found?.type === 'reference' && found.visible ? found : undefined,
      number: found ? references.indexOf(found) + 1 : 0,
    };
  });
  return record ? <Frame key={record.id} stage={stage} record={record} number={number} /> : null;
}

interface FrameProps {
  readonly stage: Stage;
  readonly record: ReferenceRecord;
  readonly number: number;
}

/** Drag to move, a corner to scale about the one across; arrow keys move, plus and minus scale, Escape ends. */
function Frame({ stage, record, number }: FrameProps) {
  const t = useT();
  const { view } = useStudio();
  const frame = useRef<HTMLDivElement>(null);
  // follows the view without painting the component anew
  const place = (): void => {
    const { zoom, x, y } = stage.viewport;
    const box = referenceBounds(record);
    const { style } = frame.current ?? {};
    if (!style) return;
    style.transform = `translate(${box.x * zoom + x}px, ${box.y * zoom + y}px)`;
    style.width = `${box.width * zoom}px`;
    style.height = `${box.height * zoom}px`;
  };
  useEffect(() => stage.subscribe(place));
  useLayoutEffect(place);
  useEffect(() => frame.current?.focus({ preventScroll: true }), []);
  const drag = useDrag(stage, record.id);
  return (
    <div
      ref={frame}
      className="reference-frame"
      role="application"
      tabIndex={0}
      aria-label={t('canvas.reference.frame', { number })}
      data-canvas-ui
      onKeyDown={(event) => {
        if (event.key === 'Escape') view.setState({ reference: null });
        else if (!placeByKey(stage, record, event)) return;
        event.preventDefault();
        event.stopPropagation();
      }}
      {...drag((by, from) => ({ map: 'move', by, from }))}
    >
      {CORNERS.map((corner, index) => (
        <i
          key={corner}
          className="reference-corner"
          data-corner={corner}
          {...drag((by, from) => ({ map: 'scale', by, from, corner: index }))}
        />
      ))}
    </div>
  );
}

type Placing = { readonly by: Point; readonly from: ReferenceRecord } & (
  | { readonly map: 'move' }
  /** @param corner clockwise from the top left */
  | { readonly map: 'scale'; readonly corner: number }
);

/** Pointer handlers of a part of the frame. The whole drag is one step, measured from where it began. */
function useDrag(stage: Stage, id: ReferenceId) {
  const gesture = useRef<{ readonly at: Point; readonly from: ReferenceRecord; moved: boolean } | null>(null);
  const { document, view } = stage.studio;
  return (placing: (by: Point, from: ReferenceRecord) => Placing) => ({
    onPointerDown: (event: PointerEvent<HTMLElement>): void => {
      if (event.button !== 0) return;
      const from = document.getState().document[id];
      if (from?.type !== 'reference') return;
      event.stopPropagation();
      event.currentTarget.setPointerCapture(event.pointerId);
      gesture.current = { at: [event.clientX, event.clientY], from, moved: false };
    },
    onPointerMove: (event: PointerEvent<HTMLElement>): void => {
      const begun = gesture.current;
      if (!begun || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
      event.stopPropagation();
      const by: Point = [event.clientX - begun.at[0], event.clientY - begun.at[1]];
      if (!begun.moved && Math.hypot(...by) < SLIP) return;
      begun.moved = true;
      const { zoom } = stage.viewport;
      apply(stage, id, placing([by[0] / zoom, by[1] / zoom], begun.from));
    },
    onPointerUp: (event: PointerEvent<HTMLElement>): void => {
      const begun = gesture.current;
      gesture.current = null;
      if (!begun) return;
      event.stopPropagation();
      document.seal();
      if (begun.moved) return;
      // a click is for what lies under the frame
      const segment = stage.scene.segmentAt(stage.toScene(event.clientX, event.clientY));
      if (segment) view.select([segment]);
    },
    onPointerCancel: (): void => {
      gesture.current = null;
      document.seal();
    },
  });
}

function apply(stage: Stage, id: ReferenceId, placing: Placing): void {
  stage.studio.document.edit(
    'edit.referencePlace',
    (document) => {
      const start = { ...document, [id]: placing.from };
      if (placing.map === 'move') return moveReference(start, id, ...placing.by);
      const corners = cornersOf(referenceBounds(placing.from));
      const held = corners[(placing.corner + 2) % 4] ?? corners[0];
      const pulled = corners[placing.corner] ?? corners[0];
      const [dx, dy] = [pulled[0] - held[0], pulled[1] - held[1]];
      // along the diagonal, so that the picture keeps its proportions
      const along = (placing.by[0] * dx + placing.by[1] * dy) / (dx * dx + dy * dy);
      return scaleReference(start, id, 1 + along, held);
    },
    { extend: `place:${id}` },
  );
}

/** @returns whether the key means something here */
function placeByKey(stage: Stage, record: ReferenceRecord, { key, shiftKey }: KeyboardEvent): boolean {
  const arrow = ARROWS[key];
  const factor = { '+': LARGER, '=': LARGER, '-': 1 / LARGER }[key];
  const { document } = stage.studio;
  const { id } = record;
  const far = shiftKey ? 10 : 1;
  if (arrow)
    document.edit('edit.referencePlace', (before) => moveReference(before, id, arrow[0] * far, arrow[1] * far), { extend: `place:${id}` }); // prettier-ignore
  else if (factor !== undefined)
    document.edit('edit.referencePlace', (before) => scaleReference(before, id, factor, centreOf(referenceBounds(record))), { extend: `place:${id}` }); // prettier-ignore
  else return false;
  return true;
}
