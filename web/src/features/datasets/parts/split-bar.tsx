import type { DatasetVersion } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';

import { splitsOf } from '../item';

const colors = [
  'var(--series-1)',
  'var(--series-2)',
  'var(--series-3)',
  'var(--series-4)',
  'var(--series-6)',
];

export const colorOfSplit = (version: DatasetVersion, split: string): string =>
  split === ''
    ? 'var(--series-other)'
    : (colors[splitsOf(version).findIndex(([name]) => name === split) % colors.length] ??
      'var(--series-other)');

/** How a version is split, at a glance. */
export function SplitBar({ version }: { version: DatasetVersion }) {
  const splits = splitsOf(version);
  const title = splits
    .map(([name, count]) => `${name === '' ? 'no split' : name}: ${formatCount(count)}`)
    .join('\n');
  if (splits.every(([name]) => name === '')) return <span className="text-xs text-faint">no splits</span>;
  return (
    <div title={title}>
      <div className="flex h-1.5 gap-px overflow-hidden rounded-full bg-sunken" aria-hidden>
        {splits.map(([name, count]) => (
          <span
            key={name}
            style={{
              width: `${(100 * count) / Math.max(1, version.items)}%`,
              background: colorOfSplit(version, name),
            }}
          />
        ))}
      </div>
      <p className="mt-1 flex gap-2 truncate text-2xs text-muted">
        {splits.slice(0, 3).map(([name, count]) => (
          <span key={name} className="num truncate">
            {name === '' ? 'none' : name} {formatCount(count)}
          </span>
        ))}
      </p>
    </div>
  );
}
