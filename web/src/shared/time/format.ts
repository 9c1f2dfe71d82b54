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

const lengthOf = (seconds: number): string => {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
};

export function formatAgo(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1_000));
  if (Number.isNaN(seconds)) return iso;
  return seconds < 5 ? 'just now' : `${lengthOf(seconds)} ago`;
}

/** What is to come: `in 5m`. What was due already happens any moment. */
export function formatIn(iso: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1_000);
  if (Number.isNaN(seconds)) return iso;
  return seconds < 5 ? 'now' : `in ${lengthOf(seconds)}`;
}

/** A stretch of time to the minute, with its days where they aren't both today. */
export function formatRange(from: string, to: string, now = Date.now()): string {
  const [start, end, today] = [new Date(from), new Date(to), new Date(now)];
  if (Number.isNaN(start.getTime()) || Number.isNaN(end.getTime())) return `${from} – ${to}`;
  const same = start.toDateString() === end.toDateString();
  const dayOf = (date: Date): string =>
    `${(date.getFullYear() === today.getFullYear() ? day : year).format(date)}, `;
  const bare = same && end.toDateString() === today.toDateString();
  const minute = (date: Date): string => clock.format(date).slice(0, 5);
  return `${bare ? '' : dayOf(start)}${minute(start)} – ${same ? '' : dayOf(end)}${minute(end)}`;
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
