import { useEffect, useRef } from 'react';
import { useStudio } from '../../app/studio.ts';

/** A pause that ends a step of undo while typing, in milliseconds. */
const PAUSE = 1200;

/**
 * Props for a text field whose text is the document's. Typing makes one step of undo until it pauses; undo and redo
 * in the field are the studio's.
 */
export function useTyping(change: (text: string) => void) {
  const studio = useStudio();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return {
    'data-document-text': true,
    spellCheck: false,
    onChange: (event: { currentTarget: { value: string } }): void => {
      change(event.currentTarget.value);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => studio.document.seal(), PAUSE);
    },
    onBlur: (): void => {
      clearTimeout(timer.current);
      studio.document.seal();
    },
  } as const;
}
