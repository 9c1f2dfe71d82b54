/** A range of time as people write it: `now-1h` to `now`, or two moments (RFC 3339). */
export interface Range {
  from: string;
  to: string;
}

export const presets = [
  { from: 'now-15m', label: '15m', title: 'Last 15 minutes' },
  { from: 'now-1h', label: '1h', title: 'Last hour' },
  { from: 'now-6h', label: '6h', title: 'Last 6 hours' },
  { from: 'now-24h', label: '24h', title: 'Last 24 hours' },
  { from: 'now-7d', label: '7d', title: 'Last 7 days' },
  { from: 'now-30d', label: '30d', title: 'Last 30 days' },
] as const;

export const defaultRange: Range = { from: 'now-1h', to: 'now' };

const units: Record<string, number> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `now-1h` → 3 600 000; `undefined` for a moment or nonsense. */
export function agoMs(bound: string): number | undefined {
  if (bound === 'now') return 0;
  const match = /^now-(\d+)(ms|s|m|h|d|w)$/.exec(bound);
  const unit = units[match?.[2] ?? ''];
  return match && unit ? Number(match[1]) * unit : undefined;
}

function boundMs(bound: string, now: number): number {
  const ago = agoMs(bound);
  return ago === undefined ? Date.parse(bound) : now - ago;
}

export const isBound = (bound: unknown): bound is string =>
  typeof bound === 'string' && !Number.isNaN(boundMs(bound, 0));

/** What the URL says, or the last hour where it says nothing that holds. */
export function readRange(search: { from?: unknown; to?: unknown }): Range {
  const from = isBound(search.from) ? search.from : defaultRange.from;
  const to = isBound(search.to) ? search.to : defaultRange.to;
  return boundMs(from, Date.now()) < boundMs(to, Date.now()) ? { from, to } : defaultRange;
}

export function boundsOf(range: Range, now = Date.now()): { from: number; to: number } {
  return { from: boundMs(range.from, now), to: boundMs(range.to, now) };
}

/** Ends now, so that what happens next belongs to it. */
export const isLive = (range: Range): boolean => range.to === 'now';

/** The range of the same width just before. */
export function previousRange(range: Range): Range {
  const [fromAgo, toAgo] = [agoMs(range.from), agoMs(range.to)];
  if (fromAgo !== undefined && toAgo !== undefined) {
    const ago = 2 * fromAgo - toAgo;
    return { from: ago % 1_000 === 0 ? `now-${ago / 1_000}s` : `now-${ago}ms`, to: range.from };
  }
  const { from, to } = boundsOf(range);
  return { from: new Date(2 * from - to).toISOString(), to: new Date(from).toISOString() };
}

export function describeRange(range: Range): string {
  const preset = presets.find((one) => one.from === range.from);
  if (preset && range.to === 'now') return preset.title;
  const { from, to } = boundsOf(range);
  const sameDay = new Date(from).toDateString() === new Date(to).toDateString();
  const day: Intl.DateTimeFormatOptions = { month: 'short', day: 'numeric' };
  const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hour12: false };
  const show = (ms: number, options: Intl.DateTimeFormatOptions): string =>
    new Date(ms).toLocaleString('en-GB', options);
  const end = range.to === 'now' ? 'now' : show(to, sameDay ? time : { ...day, ...time });
  return `${show(from, { ...day, ...time })} – ${end}`;
}

const widths: readonly [string, number][] = [
  ['1s', 1_000],
  ['5s', 5_000],
  ['15s', 15_000],
  ['30s', 30_000],
  ['1m', 60_000],
  ['5m', 300_000],
  ['15m', 900_000],
  ['30m', 1_800_000],
  ['1h', 3_600_000],
  ['3h', 10_800_000],
  ['6h', 21_600_000],
  ['12h', 43_200_000],
  ['1d', 86_400_000],
  ['7d', 604_800_000],
];

/** The narrowest bucket that makes at most some 75 of the range. */
export function bucketFor(range: Range): { text: string; ms: number } {
  const { from, to } = boundsOf(range);
  const [text, ms] = widths.find(([, width]) => (to - from) / width <= 75) ?? ['7d', 604_800_000];
  return { text, ms };
}
