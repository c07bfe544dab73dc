/** The colours that the canvas paints with, read from the theme's tokens once and again when the theme changes. */
export interface CanvasTheme {
  readonly checkA: string;
  readonly checkB: string;
  readonly edge: string;
  readonly accent: string;
  readonly handle: string;
}

export function readTheme(element: Element): CanvasTheme {
  const style = getComputedStyle(element);
  const token = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const dark = style.colorScheme !== 'light';
  return {
    checkA: token('--check-a', '#1b1d21'),
    checkB: token('--check-b', '#212429'),
    edge: dark ? 'rgb(0 0 0 / 70%)' : 'rgb(20 25 35 / 22%)',
    accent: token('--accent', '#7aa2ff'),
    handle: '#ffffff',
  };
}

/** Calls back when the root element's theme changes. @returns the end of it */
export function followCanvasTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => observer.disconnect();
}
