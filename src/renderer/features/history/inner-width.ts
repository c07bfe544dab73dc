import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

/** The padding at both sides of the history's lists (.history-grid), in pixels. */
const PADDING = 28;

/** The room for results in a scrolling list, in pixels; 0 until it is known. */
export function useInnerWidth(): { readonly scroller: RefObject<HTMLDivElement | null>; readonly width: number } {
  const scroller = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth - PADDING));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { scroller, width };
}
