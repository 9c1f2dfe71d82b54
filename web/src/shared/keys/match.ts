/** Shortcuts are written as `mod+k`, `?`, `j`, `escape`, or as a sequence: `g o`. `mod` is Cmd on a Mac, Ctrl elsewhere. */
export interface Stroke {
  key: string;
  mod: boolean;
}

export const readStrokes = (keys: string): Stroke[] =>
  keys.split(' ').map((part) => ({ key: part.replace(/^mod\+/, ''), mod: part.startsWith('mod+') }));

export interface KeyLike {
  key: string;
  metaKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
}

export const matches = (stroke: Stroke, event: KeyLike): boolean =>
  !event.altKey && stroke.mod === (event.metaKey || event.ctrlKey) && stroke.key === event.key.toLowerCase();

/** Whether the last keys end with the sequence. */
export function endsWith(history: KeyLike[], strokes: Stroke[]): boolean {
  const tail = history.slice(-strokes.length);
  return (
    tail.length === strokes.length &&
    strokes.every((stroke, i) => tail[i] !== undefined && matches(stroke, tail[i]))
  );
}
