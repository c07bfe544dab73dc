import { Switch as RadixSwitch, ToggleGroup } from 'radix-ui';
import type { ReactNode } from 'react';
import { useId } from 'react';

/** A heading with what belongs to it. */
export function Section({
  title,
  aside,
  children,
  className = '',
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}) {
  const id = useId();
  return (
    <section className={`section ${className}`} aria-labelledby={id}>
      <div className="section-head">
        <h2 id={id}>{title}</h2>
        {aside ? <div className="section-aside">{aside}</div> : null}
      </div>
      {children}
    </section>
  );
}

/** One of a few, side by side. */
export function Segmented<T extends string>({
  label,
  value,
  choices,
  onChange,
  size = 'm',
}: {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly {
    readonly value: T;
    readonly label: string;
    readonly hint?: string;
    readonly icon?: ReactNode;
  }[];
  readonly onChange: (value: T) => void;
  readonly size?: 'm' | 's';
}) {
  return (
    <ToggleGroup.Root
      type="single"
      className={`segmented segmented-${size}`}
      aria-label={label}
      value={value}
      onValueChange={(next) => next && onChange(next as T)}
    >
      {choices.map((choice) => (
        <ToggleGroup.Item
          key={choice.value}
          value={choice.value}
          title={choice.hint}
          {...(choice.icon ? { 'aria-label': choice.label } : {})}
        >
          {choice.icon ?? choice.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}

/** On or off, with its caption. */
export function SwitchRow({
  label,
  hint,
  checked,
  disabled = false,
  onChange,
}: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="switch-row">
      <label htmlFor={id}>
        {label}
        {hint ? <small>{hint}</small> : null}
      </label>
      <RadixSwitch.Root id={id} className="switch" checked={checked} disabled={disabled} onCheckedChange={onChange}>
        <RadixSwitch.Thumb className="switch-thumb" />
      </RadixSwitch.Root>
    </div>
  );
}

/** A row of a form: caption left, control right. */
export function Field({
  label,
  hint,
  children,
}: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <div className="field">
      <div className="field-words">
        <span className="field-label">{label}</span>
        {hint ? <small>{hint}</small> : null}
      </div>
      <div className="field-control">{children}</div>
    </div>
  );
}

/** Says that there is nothing yet, and what would put something there. */
export function Empty({
  icon,
  title,
  children,
}: {
  readonly icon?: ReactNode;
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="empty">
      {icon ? <div className="empty-icon">{icon}</div> : null}
      <p className="empty-title">{title}</p>
      {children ? <div className="empty-more">{children}</div> : null}
    </div>
  );
}
