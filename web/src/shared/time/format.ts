/** Times are shown in the viewer's zone; their title says the zone and UTC, so that no one has to guess. */
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const year = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

export function formatTime(iso: string, now = Date.now()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const today = new Date(now);
  if (date.toDateString() === today.toDateString()) return clock.format(date);
  const shown = date.getFullYear() === today.getFullYear() ? day : year;
  return `${shown.format(date)}, ${clock.format(date)}`;
}

export function formatAgo(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1_000));
  if (Number.isNaN(seconds)) return iso;
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds}s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ago`;
  return `${Math.floor(seconds / 86_400)}d ago`;
}

/** The exact moment, in local time and in UTC. */
export function exactTime(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${year.format(date)}, ${clock.format(date)}.${ms} (${zone})\n${date.toISOString()}`;
}

/** A tick under a chart of this width. */
export function tickLabel(ms: number, rangeMs: number): string {
  const date = new Date(ms);
  if (rangeMs > 3 * 86_400_000) return day.format(date);
  const text = clock.format(date);
  return rangeMs <= 5 * 60_000 ? text : text.slice(0, 5);
}
