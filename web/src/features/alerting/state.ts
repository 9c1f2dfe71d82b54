import type { Silence, Undelivered } from '@/api/types';

type Matcher = Silence['matchers'][number];

/** What a silence matches, as it is typed and shown: `monitor=error-*, severity=warning`. */
export const written = (matchers: Matcher[]): string =>
  matchers.map(({ label, is }) => `${label}=${is}`).join(', ');

/** What somebody has typed, or what is wrong with it. Nothing typed matches every incident. */
export function readMatchers(text: string): Matcher[] | string {
  const matchers: Matcher[] = [];
  for (const part of text.split(/[,\n]/)) {
    const piece = part.trim();
    if (piece === '') continue;
    const at = piece.indexOf('=');
    const label = piece.slice(0, Math.max(0, at)).trim();
    const is = piece.slice(at + 1).trim();
    if (label === '' || is === '') return `Expected label=value, found “${piece}”.`;
    matchers.push({ label, is });
  }
  return matchers;
}

/** What was given up comes first, as nobody works on it; the latest first. */
export const byNeed = <One extends Pick<Undelivered, 'dead' | 'made_at'>>(messages: One[]): One[] =>
  messages.toSorted(
    (one, other) =>
      Number(other.dead) - Number(one.dead) || Date.parse(other.made_at) - Date.parse(one.made_at),
  );

/** How messages of a channel are: how many were given up, and how many still wait. */
export function waiting(messages: Undelivered[], channel: string): { dead: number; due: number } {
  const own = messages.filter((one) => one.channel === channel);
  const dead = own.filter((one) => one.dead).length;
  return { dead, due: own.length - dead };
}
