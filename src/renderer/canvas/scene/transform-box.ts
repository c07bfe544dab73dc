import { Rect as FabricRect, controlsUtils } from 'fabric';
import type { Affine } from '#shared/document/geometry.ts';
import { IDENTITY, invert, multiply } from '../geometry/affine.ts';
import type { Rect } from '../geometry/boxes.ts';
import type { CanvasTheme } from './theme.ts';

/**
 * The handles around the selection. An empty Fabric rectangle that is moved, scaled and turned by Fabric's own
 * controls; how far it has come from its start is what the segments below are to do.
 */
export class TransformBox extends FabricRect {
  #start: Affine = IDENTITY;

  constructor(theme: CanvasTheme) {
    super({
      originX: 'left',
      originY: 'top',
      fill: 'transparent',
      strokeWidth: 0,
      objectCaching: false,
      transparentCorners: false,
      cornerStyle: 'rect',
      cornerSize: 9,
      touchCornerSize: 28,
      borderScaleFactor: 1.25,
      padding: 0,
      lockScalingFlip: false,
      visible: false,
      hoverCursor: 'move',
      moveCursor: 'move',
    });
    this.controls = controlsUtils.createObjectDefaultControls();
    const turn = this.controls['mtr'];
    if (turn) {
      turn.render = controlsUtils.renderCircleControl;
      turn.offsetY = -28;
    }
    this.setTheme(theme);
  }

  setTheme(theme: CanvasTheme): void {
    this.set({ borderColor: theme.accent, cornerColor: theme.handle, cornerStrokeColor: theme.accent });
  }

  /** Puts the box around the selection. */
  place({ x, y, width, height }: Rect): void {
    this.set({ left: x, top: y, width, height, scaleX: 1, scaleY: 1, angle: 0, skewX: 0, skewY: 0, flipX: false, flipY: false }); // prettier-ignore
    this.setCoords();
    this.#start = [...this.calcTransformMatrix()] as Affine;
  }

  /** What has been done to the box since it was placed: a map from scene to scene. */
  delta(): Affine {
    const back = invert(this.#start);
    return back ? multiply([...this.calcTransformMatrix()] as Affine, back) : IDENTITY;
  }
}
