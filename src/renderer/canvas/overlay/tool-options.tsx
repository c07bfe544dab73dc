import { PenTool } from 'lucide-react';
import { useT } from '../../app/i18n/texts.ts';
import { useStudio, useView } from '../../app/studio.ts';
import { BRUSH_RANGE } from '../../store/view-store.ts';
import { IconButton } from '../../ui/button.tsx';
import { SliderRow } from '../../ui/slider.tsx';

/** What the present tool can be told, beside the tool bar; nothing for tools without settings. */
export function ToolOptions() {
  const t = useT();
  const { view } = useStudio();
  const { tool, brushSize, brushHardness, penPressure, fillTolerance } = useView((state) => ({
    tool: state.tool,
    brushSize: state.brushSize,
    brushHardness: state.brushHardness,
    penPressure: state.penPressure,
    fillTolerance: state.fillTolerance,
  }));
  if (tool === 'brush' || tool === 'eraser')
    return (
      <div className="tool-options" role="group" aria-label={t('canvas.brush')} data-canvas-ui>
        <SliderRow
          label={t('canvas.brush.size')}
          value={brushSize}
          min={BRUSH_RANGE.min}
          max={256}
          fieldMax={BRUSH_RANGE.max}
          step={1}
          onChange={(size) => view.setState({ brushSize: size })}
        />
        <SliderRow
          label={t('canvas.brush.hardness')}
          value={Math.round(brushHardness * 100)}
          min={0}
          max={100}
          step={1}
          unit="%"
          onChange={(percent) => view.setState({ brushHardness: percent / 100 })}
        />
        <IconButton
          label={t('canvas.brush.pressure')}
          icon={<PenTool />}
          pressed={penPressure}
          onClick={() => view.setState({ penPressure: !penPressure })}
        />
      </div>
    );
  if (tool === 'fill')
    return (
      <div className="tool-options" role="group" aria-label={t('canvas.fill.tolerance')} data-canvas-ui>
        <SliderRow
          label={t('canvas.fill.tolerance')}
          value={Math.round(fillTolerance * 100)}
          min={0}
          max={100}
          step={1}
          unit="%"
          onChange={(percent) => view.setState({ fillTolerance: percent / 100 })}
        />
      </div>
    );
  return null;
}
