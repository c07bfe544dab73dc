import './canvas.css';
import './labels.css';
import './sheet.css';
import './bars.css';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useT } from '../app/i18n/texts.ts';
import type { Translate } from '../app/i18n/texts.ts';
import { commandEntries } from '../app/shell/use-command.ts';
import { useStudio } from '../app/studio.ts';
import type { Studio } from '../app/studio.ts';
import { RightClick } from '../ui/menu.tsx';
import type { MenuEntry } from '../ui/menu.tsx';
import { canvasCommands } from './canvas-commands.ts';
import { DropZone } from './drop/drop-zone.tsx';
import { ReferenceFrame } from './overlay/reference-frame.tsx';
import { SegmentTags } from './overlay/segment-tags.tsx';
import { SheetOverlay } from './overlay/sheet-overlay.tsx';
import { ToolBar } from './overlay/tool-bar.tsx';
import { ToolOptions } from './overlay/tool-options.tsx';
import { ViewChip } from './overlay/view-chip.tsx';
import { PointerRouter } from './pointer-router.ts';
import { Stage } from './stage.ts';
import { createTools } from './tools/all.ts';

/**
 * The canvas with its tools. Fabric's element and the layers above it are made here and handed to the Stage, which
 * writes to them; React renders only what is made of words and buttons.
 */
export function CanvasView() {
  const studio = useStudio();
  const t = useT();
  const root = useRef<HTMLDivElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const live = useRef<HTMLCanvasElement>(null);
  const preview = useRef<SVGSVGElement>(null);
  const [stage, setStage] = useState<Stage | null>(null);

  useLayoutEffect(() => {
    if (!root.current || !surface.current || !live.current || !preview.current) return undefined;
    const element = root.current;
    // Fabric wraps its canvas in elements of its own; React must not know the one it wraps
    const canvas = document.createElement('canvas');
    surface.current.append(canvas);
    const made = new Stage(studio, { root: element, canvas, live: live.current, preview: preview.current });
    const router = new PointerRouter(made, element, createTools());
    const follow = (): void => {
      const cursor = made.cursor ?? router.cursor;
      element.style.cursor = cursor;
      // one layer less to be put together in each frame of a stroke: Fabric's own is for its handles
      made.scene.canvas.upperCanvasEl.style.visibility = made.view.tool === 'select' ? '' : 'hidden';
      made.scene.canvas.upperCanvasEl.style.cursor = made.view.tool === 'select' && !made.cursor ? '' : cursor;
      router.refreshRing();
    };
    const stops = [
      made.subscribe(follow),
      studio.view.subscribe((state, before) => {
        if (state.brushSize !== before.brushSize || state.tool !== before.tool) follow();
      }),
      studio.commands.add(canvasCommands(made)),
    ];
    const measure = (): void => {
      router.measure();
      made.resize({ width: element.clientWidth, height: element.clientHeight });
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    follow();
    studio.view.setState({
      canvas: {
        fit: () => made.fit(),
        fitSelection: () => made.fitSelection(),
        zoomTo: (zoom) => made.zoomTo(zoom),
        zoomBy: (factor) => made.zoomTo(made.viewport.zoom * factor),
        editText: (id) => made.editText(id),
        cancelGesture: () => router.cancel(),
      },
    });
    setStage(made);
    return () => {
      studio.view.setState({ canvas: null });
      observer.disconnect();
      for (const stop of stops) stop();
      router.destroy();
      made.destroy();
      setStage(null);
    };
  }, [studio]);

  useEffect(() => {
    // a document that was loaded before the canvas was there is shown by now; nothing else is needed at mount
    if (stage && stage.size.width > 0 && studio.view.getState().viewport.zoom === 1) stage.fit();
  }, [stage, studio]);

  return (
    <RightClick entries={() => menuEntries(studio, t)}>
      <div
        ref={root}
        className="canvas-view"
        role="application"
        aria-label={t('canvas.label')}
        onContextMenuCapture={(event) => {
          if ((event.target as Element).closest('[data-canvas-ui], input')) event.preventDefault();
          else stage?.selectUnder(event.clientX, event.clientY);
        }}
      >
        <div ref={surface} className="canvas-surface" />
        <canvas ref={live} className="canvas-live" aria-hidden="true" />
        {stage ? <SheetOverlay stage={stage} /> : null}
        <svg ref={preview} className="canvas-preview" aria-hidden="true" />
        {stage ? (
          <>
            <ReferenceFrame stage={stage} />
            <SegmentTags stage={stage} />
            <ToolBar />
            <ToolOptions />
            <ViewChip />
            <DropZone stage={stage} />
          </>
        ) : null}
      </div>
    </RightClick>
  );
}

const SEGMENT_MENU = [
  'segment.editText', '-',
  'segment.duplicate', 'segment.mirrorHorizontal', 'segment.mirrorVertical', 'segment.invert', '-',
  'segment.top', 'segment.up', 'segment.down', 'segment.bottom', '-',
  'segment.hide', 'segment.lock', 'segment.solo', 'segment.group', '-', 'segment.delete',
]; // prettier-ignore
const SEVERAL = ['segment.union', 'segment.subtract', 'segment.intersect', '-'];
const SHEET_MENU = [
  'segment.new', 'edit.selectAll', '-', 'view.fit', 'view.actualSize', '-',
  'view.outlines', 'view.labels', 'view.patterns', 'view.modelsEye', 'view.place',
]; // prettier-ignore

/** What can be done with what is selected, else with the view. */
function menuEntries(studio: Studio, t: Translate): MenuEntry[] {
  const { selection } = studio.view.getState();
  if (selection.length === 0) return commandEntries(studio, SHEET_MENU, t);
  return commandEntries(studio, selection.length > 1 ? [...SEVERAL, ...SEGMENT_MENU] : SEGMENT_MENU, t);
}
