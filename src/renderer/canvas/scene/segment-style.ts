import type { SegmentRecord } from '#shared/document/records.ts';
import type { PatternName } from '../palette.ts';
import { colourOf, patternOf } from '../palette.ts';

/** How a segment is painted. Widths are screen pixels. */
export interface SegmentStyle {
  readonly colour: string;
  /** 0..1 */
  readonly fill: number;
  readonly pattern: PatternName | undefined;
  readonly outline: number;
  readonly dashed: boolean;
  /** A dark line below the outline, so that it can be seen on its own colour. */
  readonly halo: number;
  /** 0..1 for the whole segment. */
  readonly opacity: number;
}

export interface SegmentLook {
  readonly selected: boolean;
  readonly hovered: boolean;
  /** Another segment is soloed. */
  readonly dimmed: boolean;
  /** A picture lies below the segments: they step back. */
  readonly overPicture: boolean;
  readonly showOutlines: boolean;
  readonly patterns: boolean;
}

/** The style of a segment; undefined: it is not shown. */
export function segmentStyle(
  segment: Pick<SegmentRecord, 'color' | 'visible'>,
  look: SegmentLook,
): SegmentStyle | undefined {
  if (!segment.visible) return undefined;
  if (!look.showOutlines && look.overPicture && !look.selected && !look.hovered) return undefined;
  const quiet = look.overPicture ? 0 : 0.42;
  const fill = look.selected ? quiet + (look.overPicture ? 0.06 : 0.1) : quiet + (look.hovered ? 0.14 : 0);
  return {
    colour: colourOf(segment.color),
    fill: look.overPicture && look.hovered ? 0.16 : fill,
    pattern: look.patterns ? patternOf(segment.color) : undefined,
    outline: !look.showOutlines && !look.selected ? 0 : look.selected ? 2.25 : look.overPicture ? 1.75 : 1.5,
    dashed: look.overPicture && !look.selected,
    halo: look.selected ? 4.25 : look.overPicture ? 3.25 : 0,
    opacity: look.dimmed ? 0.18 : 1,
  };
}

export const sameStyle = (a: SegmentStyle | undefined, b: SegmentStyle | undefined): boolean =>
  a === b ||
  (a !== undefined &&
    b !== undefined &&
    a.colour === b.colour &&
    a.fill === b.fill &&
    a.pattern === b.pattern &&
    a.outline === b.outline &&
    a.dashed === b.dashed &&
    a.halo === b.halo &&
    a.opacity === b.opacity);
