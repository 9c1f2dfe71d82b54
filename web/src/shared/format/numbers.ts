/** Numbers for people. Absent is a dash: unknown is not zero. */
export type Maybe = number | null | undefined;

export const dash = '–';

const known = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });

export function formatCount(value: Maybe): string {
  if (!known(value)) return dash;
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value).replace('K', 'k');
}

export const formatWhole = (value: Maybe): string => (known(value) ? whole.format(value) : dash);

/** Milliseconds. */
export function formatDuration(ms: Maybe): string {
  if (!known(ms)) return dash;
  if (ms === 0) return '0 ms';
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${ms.toFixed(0)} ms`;
  if (ms < 9_995) return `${(ms / 1_000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const two = (part: number): string => String(part).padStart(2, '0');
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h ${two(Math.floor((seconds % 3_600) / 60))}m`;
}

/** Dollars. Small amounts keep two significant digits: a call may cost a thousandth of a cent. */
export function formatCost(dollars: Maybe): string {
  if (!known(dollars)) return dash;
  const size = Math.abs(dollars);
  if (size === 0) return '$0';
  if (size >= 10_000) return `$${compact.format(dollars).replace('K', 'k')}`;
  if (size >= 1) return `$${dollars.toFixed(2)}`;
  if (size >= 0.1) return `$${dollars.toFixed(3)}`;
  const digits = Math.min(12, 1 - Math.floor(Math.log10(size)));
  return `$${dollars.toFixed(digits)}`;
}

/** Dollars where there is little room: what is next to nothing says so. */
export const formatCostShort = (dollars: Maybe): string =>
  known(dollars) && dollars > 0 && dollars < 0.00005 ? '<$0.0001' : formatCost(dollars);

/** `6.00 s` → `6 s`, `$0.100` → `$0.1`: marks of an axis are round. */
export const trimZeros = (text: string): string =>
  text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '');

/** A share of one. */
export function formatShare(share: Maybe): string {
  if (!known(share)) return dash;
  const percent = share * 100;
  if (percent === 0) return '0%';
  if (percent < 0.1) return '<0.1%';
  return `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}

/** How much more or less than before; `undefined` where there is nothing to compare with. */
export function changeOf(now: Maybe, before: Maybe): number | undefined {
  if (!known(now) || !known(before) || before === 0) return undefined;
  return (now - before) / before;
}

export function formatChange(change: number): string {
  const percent = Math.abs(change) * 100;
  if (percent < 0.5) return '0%';
  if (percent >= 10_000) return '>100×';
  if (percent >= 1_000) return `${(Math.abs(change) + 1).toFixed(0)}×`;
  return `${percent.toFixed(0)}%`;
}

export function formatBytes(bytes: Maybe): string {
  if (!known(bytes)) return dash;
  const steps = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = Math.min(steps.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  const amount = bytes / 1_000 ** step;
  return `${amount.toFixed(step > 0 && amount < 100 ? 1 : 0)} ${steps[step] ?? 'B'}`;
}

/** Microseconds in words. */
export function formatMicros(us: number): string {
  if (us >= 1_000) return `${(us / 1_000).toFixed(us >= 10_000 ? 0 : 1)} ms`;
  return `${us.toFixed(us >= 10 ? 0 : 1)} µs`;
}

/** A score: four digits that matter, and no more. */
export function formatScore(value: Maybe): string {
  if (!known(value)) return dash;
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) return value.toExponential(2);
  return trimZeros(value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3));
}
