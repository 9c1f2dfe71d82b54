import { cx } from '@/shared/ui/cx';

import { compare, type Line } from '../draft';

const looks: Record<Line['kind'], string> = {
  same: 'text-muted',
  added: 'bg-accent-soft text-ink',
  removed: 'bg-error-soft text-ink line-through decoration-error/40',
};
const signs: Record<Line['kind'], string> = { same: ' ', added: '+', removed: '−' };
/** Lines that stay are shown so far around what changes. */
const around = 3;

/** What changes between two texts, line by line. */
export function Changes({ before, after }: { before: string[]; after: string[] }) {
  const lines = compare(before, after);
  const changed = lines.flatMap(({ kind }, i) => (kind === 'same' ? [] : [i]));
  if (changed.length === 0) return <p className="text-sm text-muted">Nothing changes.</p>;
  const near = (i: number): boolean => changed.some((at) => Math.abs(at - i) <= around);
  return (
    <pre
      aria-label="Changes"
      className="max-h-72 overflow-auto rounded-md border border-line bg-sunken py-2 font-mono text-xs leading-5"
    >
      {lines.map(({ kind, text }, i) => {
        if (!near(i)) {
          return i > 0 && near(i - 1) ? (
            <div key={i} className="px-3 text-faint">
              ⋯
            </div>
          ) : null;
        }
        return (
          <div key={i} className={cx('flex px-3', looks[kind])}>
            <span className="w-4 shrink-0 text-faint select-none">{signs[kind]}</span>
            <span className="whitespace-pre">{text}</span>
          </div>
        );
      })}
    </pre>
  );
}
