/** How far something is; null: under way, but nobody can say how far. */
export function ProgressLine({ label, fraction }: { readonly label: string; readonly fraction: number | null }) {
  return (
    <div
      className={`bar ${fraction === null ? 'bar-idle' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(fraction === null ? {} : { 'aria-valuenow': Math.round(fraction * 100) })}
    >
      <i style={fraction === null ? {} : { width: `${fraction * 100}%` }} />
    </div>
  );
}
