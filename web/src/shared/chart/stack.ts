export type Values = (number | null)[];

/** Each series on top of those before it. A gap counts as nothing, unless all are gaps. */
export function stack(series: Values[]): Values[] {
  const length = series[0]?.length ?? 0;
  const total: Values = Array.from({ length }, () => null);
  return series.map((values) =>
    values.map((value, i) => {
      const below = total[i] ?? null;
      const sum = value === null && below === null ? null : (below ?? 0) + (value ?? 0);
      total[i] = sum;
      return sum;
    }),
  );
}

/** The start of every bucket of a range. Buckets lie on multiples of their width since 1970. */
export function bucketStarts(from: number, to: number, width: number): number[] {
  const first = Math.floor(from / width) * width;
  const count = Math.max(0, Math.ceil((to - first) / width));
  return Array.from({ length: Math.min(count, 2_000) }, (_, i) => first + i * width);
}
