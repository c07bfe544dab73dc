import {
  Brush,
  Circle,
  Eraser,
  Hand,
  Lasso,
  LassoSelect,
  MousePointer2,
  PaintBucket,
  Pentagon,
  Square,
} from 'lucide-react';
import { Fragment } from 'react';
import type { ReactNode } from 'react';
import { useT } from '../../app/i18n/texts.ts';
import { useCommand } from '../../app/shell/use-command.ts';
import type { Tool } from '../../store/view-store.ts';
import { IconButton } from '../../ui/button.tsx';

const ICONS: Readonly<Record<Tool, ReactNode>> = {
  select: <MousePointer2 />,
  brush: <Brush />,
  eraser: <Eraser />,
  lasso: <Lasso />,
  edge: <LassoSelect />,
  polygon: <Pentagon />,
  rect: <Square />,
  ellipse: <Circle />,
  fill: <PaintBucket />,
  pan: <Hand />,
};

const GROUPS: readonly (readonly Tool[])[] = [
  ['select', 'brush', 'eraser'],
  ['lasso', 'edge', 'polygon', 'rect', 'ellipse'],
  ['fill', 'pan'],
];

/** The tools at the canvas's left edge. */
export function ToolBar() {
  const t = useT();
  return (
    <div className="tool-bar" role="toolbar" aria-orientation="vertical" aria-label={t('canvas.tools')} data-canvas-ui>
      {GROUPS.map((tools, index) => (
        <Fragment key={tools.join()}>
          {index > 0 ? <span className="tool-gap" aria-hidden="true" /> : null}
          {tools.map((tool) => (
            <ToolButton key={tool} tool={tool} />
          ))}
        </Fragment>
      ))}
    </div>
  );
}

function ToolButton({ tool }: { readonly tool: Tool }) {
  const command = useCommand(`tool.${tool}`);
  return (
    <IconButton
      label={command.label}
      shortcut={command.shortcut}
      icon={ICONS[tool]}
      pressed={command.checked ?? false}
      side="right"
      className="tool-btn"
      onClick={command.run}
    />
  );
}
