/** A line without axes: the shape of a number over time. */
export function Sparkline({
  values,
  color = 'var(--accent)',
}: {
  values: (number | null)[];
  color?: string;
}) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <div className="h-8" />;
  const top = Math.max(...known, 0);
  const low = Math.min(...known, 0);
  const y = (value: number): number => (top === low ? 30 : 30 - ((value - low) / (top - low)) * 27);
  const points = values.flatMap((value, i) =>
    value === null ? [] : [`${((i / (values.length - 1)) * 100).toFixed(2)},${y(value).toFixed(2)}`],
  );
  const start = points[0]?.split(',')[0] ?? '0';
  const end = points.at(-1)?.split(',')[0] ?? '100';
  return (
    <svg viewBox="0 0 100 32" preserveAspectRatio="none" className="block h-8 w-full" aria-hidden>
      <polygon points={`${start},32 ${points.join(' ')} ${end},32`} fill={color} opacity={0.12} />
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke={color}
        strokeWidth={1.5}
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
