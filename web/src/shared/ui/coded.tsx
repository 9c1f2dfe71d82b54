import { localTimes, pieces } from '@/shared/format/coded';

/** A text as the server writes it: what stands between backticks is code, and moments are in the reader's time. */
export function Coded({ text }: { text: string }) {
  return pieces(text).map((piece, i) =>
    piece.code ? (
      <code key={i} className="rounded-sm bg-sunken px-1 py-0.5 font-mono text-[0.95em] wrap-anywhere">
        {piece.text}
      </code>
    ) : (
      <span key={i}>{localTimes(piece.text)}</span>
    ),
  );
}
