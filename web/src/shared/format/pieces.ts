/** A stretch of a text, and what lies over the whole of it. */
export interface Piece<T> {
  text: string;
  over: T[];
}

/** Cuts a text where things in it begin and end. Their offsets are bytes of UTF-8, which a string of JavaScript doesn't count. */
export function cutAt<T extends { start: number; end: number }>(text: string, things: T[]): Piece<T>[] {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const cuts = new Set([0, bytes.length]);
  for (const { start, end } of things) {
    cuts.add(Math.min(start, bytes.length));
    cuts.add(Math.min(end, bytes.length));
  }
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(1).map((to, i) => {
    const from = places[i] ?? 0;
    const over = things.filter(({ start, end }) => start <= from && end >= to);
    return { text: decoder.decode(bytes.subarray(from, to)), over };
  });
}
