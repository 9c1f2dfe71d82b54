/** A signal with its lower lamp lit: line clear. */
export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className="shrink-0">
      <rect
        x="7.75"
        y="1.75"
        width="16.5"
        height="28.5"
        rx="8.25"
        className="fill-sunken stroke-line-strong"
        strokeWidth="1.5"
      />
      <circle cx="16" cy="10.2" r="4.2" className="fill-line-strong" />
      <circle cx="16" cy="21.8" r="5" className="fill-accent" />
    </svg>
  );
}
