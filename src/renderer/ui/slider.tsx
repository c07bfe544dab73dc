import { Slider as Radix } from 'radix-ui';
import { useId } from 'react';
import { NumberField } from './number-field.tsx';

interface SliderRowProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  /** End of the track; the number field may go further (`fieldMax`). */
  readonly max: number;
  readonly fieldMax?: number;
  readonly step: number;
  readonly digits?: number;
  readonly unit?: string;
  readonly disabled?: boolean;
  readonly hint?: string;
  readonly onChange: (value: number) => void;
  /** The pointer was let go: the gesture is over. */
  readonly onDone?: () => void;
}

/** A caption, a slider and a number, all of the same value. */
export function SliderRow(props: SliderRowProps) {
  const { label, value, min, max, step, digits = 0, unit, disabled = false, onChange, onDone } = props;
  const id = useId();
  return (
    <div className="slider-row" title={props.hint}>
      <label className="slider-label ellipsis" htmlFor={id}>
        {label}
      </label>
      <Radix.Root
        className="slider"
        value={[Math.min(value, max)]}
        min={min}
        max={max}
        step={step}
        disabled={disabled}
        onValueChange={([next]) => next !== undefined && onChange(next)}
        onValueCommit={() => onDone?.()}
        onDoubleClick={(event) => event.preventDefault()}
      >
        <Radix.Track className="slider-track">
          <Radix.Range className="slider-range" />
        </Radix.Track>
        <Radix.Thumb className="slider-thumb" aria-label={label} />
      </Radix.Root>
      <NumberField
        id={id}
        label={label}
        value={value}
        min={min}
        max={props.fieldMax ?? max}
        step={step}
        digits={digits}
        {...(unit ? { unit } : {})}
        disabled={disabled}
        onChange={(next, done) => {
          onChange(next);
          if (done) onDone?.();
        }}
      />
    </div>
  );
}

/** Two ends of a stretch on one track. */
export function RangeRow({
  label,
  value,
  min,
  max,
  step,
  format,
  startLabel,
  endLabel,
  onChange,
  onDone,
}: {
  readonly label: string;
  readonly value: readonly [number, number];
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly format: (value: readonly [number, number]) => string;
  readonly startLabel: string;
  readonly endLabel: string;
  readonly onChange: (value: [number, number]) => void;
  readonly onDone?: () => void;
}) {
  return (
    <div className="slider-row">
      <span className="slider-label ellipsis">{label}</span>
      <Radix.Root
        className="slider"
        value={[value[0], value[1]]}
        min={min}
        max={max}
        step={step}
        onValueChange={([start, end]) => start !== undefined && end !== undefined && onChange([start, end])}
        onValueCommit={() => onDone?.()}
      >
        <Radix.Track className="slider-track">
          <Radix.Range className="slider-range" />
        </Radix.Track>
        <Radix.Thumb className="slider-thumb" aria-label={startLabel} />
        <Radix.Thumb className="slider-thumb" aria-label={endLabel} />
      </Radix.Root>
      <output className="range-out num">{format(value)}</output>
    </div>
  );
}
