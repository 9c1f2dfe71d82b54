/** A stretch of two texts: in both, in the first only, or in the second only. */
export interface Stretch {
  kind: 'both' | 'gone' | 'new';
  text: string;
}

/** More comparisons of words than this take too long: the rest is told as replaced. */
const mostCells = 4_000_000;

/** Spaces belong to the word before them: alone they would be the same everywhere, and cut what changed into crumbs. */
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}_]+\s*|[^\p{L}\p{N}_\s]\s*|\s+/gu) ?? [];

function add(stretches: Stretch[], kind: Stretch['kind'], words: string[]): void {
  if (words.length === 0) return;
  const last = stretches.at(-1);
  if (last?.kind === kind) last.text += words.join('');
  else stretches.push({ kind, text: words.join('') });
}

/** The longest sequence of words that both have, walked from the beginning. */
function walk(before: string[], after: string[], stretches: Stretch[]): void {
  const width = after.length + 1;
  const longest = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => longest[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      longest[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, next] = [before[i], after[j]];
    if (old !== undefined && old === next) {
      add(stretches, 'both', [old]);
      i++;
      j++;
    } else if (old !== undefined && (next === undefined || at(i + 1, j) >= at(i, j + 1))) {
      add(stretches, 'gone', [old]);
      i++;
    } else if (next !== undefined) {
      add(stretches, 'new', [next]);
      j++;
    }
  }
}

/** How one text became another, word by word. */
export function diffOf(before: string, after: string): Stretch[] {
  const [old, next] = [wordsOf(before), wordsOf(after)];
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start++;
  let end = 0;
  while (
    end < old.length - start &&
    end < next.length - start &&
    old[old.length - 1 - end] === next[next.length - 1 - end]
  )
    end++;
  const stretches: Stretch[] = [];
  add(stretches, 'both', old.slice(0, start));
  const [changed, became] = [old.slice(start, old.length - end), next.slice(start, next.length - end)];
  if (changed.length * became.length > mostCells) {
    add(stretches, 'gone', changed);
    add(stretches, 'new', became);
  } else walk(changed, became, stretches);
  add(stretches, 'both', old.slice(old.length - end));
  return stretches;
}
