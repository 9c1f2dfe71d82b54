import { formatTime } from '@/shared/time/format';

const moment = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** A text in which moments are as people here read them. The server writes UTC, as it doesn't know who reads. */
export const localTimes = (text: string, now?: number): string =>
  text.replace(moment, (iso) => formatTime(iso, now));

/** A text with `code` in it, as pieces. */
export function pieces(text: string): { text: string; code: boolean }[] {
  return text
    .split('`')
    .map((piece, i) => ({ text: piece, code: i % 2 === 1 }))
    .filter((piece) => piece.text !== '');
}
