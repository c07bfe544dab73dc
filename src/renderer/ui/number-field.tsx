import { useRef, useState } from 'react';
import { formatNumber } from '../app/format.ts';

export interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly unit?: string;
  readonly digits?: number;
  readonly disabled?: boolean;
  readonly id?: string;
  readonly className?: string;
  /** `done`: the artist has finished (Enter, leaving the field), as opposed to stepping by arrow key. */
  readonly onChange: (value: number, done: boolean) => void;
}

export const clampTo = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** Reads what an artist types: comma or point, and nothing else. NaN if it is no number. */
export const readNumber = (text: string): number => {
  const trimmed = text.trim().replace(',', '.');
  return /^-?(\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : Number.NaN;
};

/** A number to type, to step with the arrow keys (Shift: ten steps). Wrong input falls back to the old value. */
export function NumberField({
  label,
  value,
  min,
  max,
  step = 1,
  unit,
  digits = 0,
  disabled,
  id,
  className = '',
  onChange,
}: NumberFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const cancelled = useRef(false);
  const commit = (): void => {
    if (draft === null) return;
    const typed = cancelled.current ? Number.NaN : readNumber(draft);
    cancelled.current = false;
    setDraft(null);
    if (!Number.isNaN(typed)) onChange(clampTo(typed, min, max), true);
  };
  return (
    <span className={`number-field ${className}`}>
      <input
        id={id}
        className="num"
        inputMode="decimal"
        role="spinbutton"
        aria-label={label}
        aria-valuenow={value}
        aria-valuemin={min}
        aria-valuemax={max}
        disabled={disabled}
        value={draft ?? formatNumber(value, digits).replaceAll(/\s/g, '')}
        onFocus={(event) => event.currentTarget.select()}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            commit();
            event.currentTarget.select();
          } else if (event.key === 'Escape' && draft !== null) {
            event.stopPropagation();
            cancelled.current = true;
            event.currentTarget.blur();
          } else if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
            event.preventDefault();
            const typed = draft === null ? value : readNumber(draft);
            const by = (event.key === 'ArrowUp' ? 1 : -1) * step * (event.shiftKey ? 10 : 1);
            setDraft(null);
            onChange(clampTo(Number(((Number.isNaN(typed) ? value : typed) + by).toFixed(6)), min, max), false);
          }
        }}
      />
      {unit ? <span className="number-unit">{unit}</span> : null}
    </span>
  );
}
