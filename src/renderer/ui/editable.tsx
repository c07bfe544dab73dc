import { useRef, useState } from 'react';

/** Text that becomes a field when clicked (or on Enter / F2 from the keyboard). */
export function Editable({
  label,
  value,
  placeholder,
  maxLength,
  className = '',
  editing: forced,
  onEditing,
  clickEdits = true,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly placeholder: string;
  readonly maxLength: number;
  readonly className?: string;
  /** Opens the field from outside. */
  readonly editing?: boolean;
  readonly onEditing?: (editing: boolean) => void;
  /** In a list the first click only selects. */
  readonly clickEdits?: boolean;
  readonly onChange: (value: string) => void;
}) {
  const [own, setOwn] = useState(false);
  const editing = forced ?? own;
  const cancelled = useRef(false);
  const setEditing = (next: boolean): void => {
    setOwn(next);
    onEditing?.(next);
  };
  if (!editing)
    return (
      <button
        type="button"
        className={`editable ellipsis ${value ? '' : 'editable-empty'} ${className}`}
        aria-label={`${label}: ${value || placeholder}`}
        onClick={() => clickEdits && setEditing(true)}
      >
        {value || placeholder}
      </button>
    );
  return (
    <input
      className={`editable editable-field ${className}`}
      aria-label={label}
      defaultValue={value}
      placeholder={placeholder}
      maxLength={maxLength}
      autoFocus
      onFocus={(event) => event.currentTarget.select()}
      onBlur={(event) => {
        if (!cancelled.current && event.currentTarget.value !== value) onChange(event.currentTarget.value);
        cancelled.current = false;
        setEditing(false);
      }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === 'Escape') cancelled.current = true;
        if (event.key === 'Escape' || event.key === 'Enter') event.currentTarget.blur();
      }}
    />
  );
}
