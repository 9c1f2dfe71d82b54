import { ArrowDown, ArrowUp } from 'lucide-react';

import { cx } from '@/shared/ui/cx';

import { formatMeasure, toneOf, toneText } from '../figures';

/** How much a figure moved, and whether that is good. */
export function Delta({
  metric,
  change,
  lower,
  title,
}: {
  metric: string;
  change: number | undefined;
  lower: boolean;
  title?: string;
}) {
  if (change === undefined) return null;
  const tone = toneOf(change, lower);
  if (tone === 'same') return <span className="num text-2xs text-faint">±0</span>;
  const Icon = change > 0 ? ArrowUp : ArrowDown;
  return (
    <span className={cx('num inline-flex items-center text-2xs font-medium', toneText[tone])} title={title}>
      <Icon size={11} aria-hidden />
      <span className="sr-only">{change > 0 ? 'up' : 'down'}</span>
      {formatMeasure(metric, Math.abs(change))}
    </span>
  );
}
