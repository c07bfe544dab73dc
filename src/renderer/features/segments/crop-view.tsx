import { useEffect, useRef } from 'react';
import type { Box } from '#shared/document/records.ts';
import { useStudio } from '../../app/studio.ts';

/** A picture, or the part of it that a slot uses. */
export function CropView({
  blob,
  box,
  label,
}: {
  readonly blob: string;
  readonly box: Box | null;
  readonly label: string;
}) {
  const studio = useStudio();
  const ref = useRef<HTMLCanvasElement>(null);
  const url = studio.blobUrl(blob);
  useEffect(() => {
    const image = new Image();
    let gone = false;
    image.addEventListener('load', () => {
      const canvas = ref.current;
      if (gone || !canvas) return;
      const part = box ?? { x: 0, y: 0, width: image.naturalWidth, height: image.naturalHeight };
      const scale = Math.min(2, 240 / Math.max(part.width, part.height));
      canvas.width = Math.max(1, Math.round(part.width * scale));
      canvas.height = Math.max(1, Math.round(part.height * scale));
      canvas
        .getContext('2d')
        ?.drawImage(image, part.x, part.y, part.width, part.height, 0, 0, canvas.width, canvas.height);
    });
    image.src = url;
    return () => {
      gone = true;
    };
  }, [url, box]);
  return (
    <span className="crop-view" role="img" aria-label={label}>
      <canvas ref={ref} width={8} height={8} />
    </span>
  );
}
