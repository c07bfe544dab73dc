import { Search } from 'lucide-react';

/** What a search may be long: as the host takes it. */
const LONGEST = 500;

/** A field that narrows the list below it while one types. */
export function SearchField({
  label,
  value,
  autofocus = false,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  /** The dialog opens with the cursor in it. */
  readonly autofocus?: boolean;
  readonly onChange: (value: string) => void;
}) {
  return (
    <div className="search">
      <Search aria-hidden="true" />
      <input
        className="text-field"
        {...(autofocus ? { 'data-autofocus': true } : {})}
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        maxLength={LONGEST}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}
