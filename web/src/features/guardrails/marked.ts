import type { Finding } from '@/api/types';

/** A stretch of a text, and what was found there: the strongest action first. */
export interface Piece {
  text: string;
  findings: Finding[];
}

const strength: Record<Finding['action'], number> = {
  flag: 0,
  tokenise: 1,
  redact: 2,
  rewrite: 3,
  block: 4,
};

/** Cuts a text where findings begin and end. Their offsets are bytes of UTF-8, which a string of JavaScript doesn't count. */
export function piecesOf(text: string, findings: Finding[]): Piece[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const cuts = new Set([0, bytes.length]);
  for (const { start, end } of findings) {
    cuts.add(Math.min(start, bytes.length));
    cuts.add(Math.min(end, bytes.length));
  }
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(1).map((to, i) => {
    const from = places[i] ?? 0;
    const here = findings.filter(({ start, end }) => start <= from && end >= to);
    here.sort((a, b) => strength[b.action] - strength[a.action] || b.confidence - a.confidence);
    return { text: decoder.decode(bytes.subarray(from, to)), findings: here };
  });
}

/** Microseconds in words. */
export function formatMicros(us: number): string {
  if (us >= 1_000) return `${(us / 1_000).toFixed(us >= 10_000 ? 0 : 1)} ms`;
  return `${us.toFixed(us >= 10 ? 0 : 1)} µs`;
}
