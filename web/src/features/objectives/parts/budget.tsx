import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';

import { budgetLeft, budgetTone, rateText, rateTone } from '../state';
import type { BurnRate } from '../types';

const fills = { ok: 'bg-ok', warn: 'bg-warn', error: 'bg-error', neutral: 'bg-faint', info: 'bg-info' };
const inks = {
  ok: 'text-ok',
  warn: 'text-warn',
  error: 'text-error',
  neutral: 'text-muted',
  info: 'text-info',
};

/** How much of a budget is left: a bar that runs empty, with the mark below which releases wait. */
export function BudgetBar({
  left,
  freeze,
  className,
}: {
  left: number;
  freeze?: number;
  className?: string;
}) {
  const tone = budgetTone(left);
  const width = Math.min(1, Math.max(0, left)) * 100;
  return (
    <div className={cx('flex items-center gap-2.5', className)}>
      <div
        role="meter"
        aria-label="Error budget left"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(width)}
        aria-valuetext={budgetLeft(left)}
        className={cx(
          'relative h-2 min-w-20 flex-1 overflow-hidden rounded-full',
          left <= 0 ? 'bg-error-soft' : 'bg-sunken',
        )}
      >
        <div
          className={cx('h-full rounded-full transition-[width]', fills[tone])}
          style={{ width: `${width}%` }}
        />
        {freeze !== undefined && freeze > 0 && (
          <div
            className="absolute inset-y-0 w-px bg-ink/60"
            style={{ left: `${freeze * 100}%` }}
            title={`Releases wait below ${freeze * 100} %`}
          />
        )}
      </div>
      <span className={cx('num w-16 shrink-0 text-right text-sm font-medium', inks[tone])}>
        {budgetLeft(left)}
      </span>
    </div>
  );
}

/** How fast the budget is spent, over several times. */
export function Rates({ rates }: { rates: BurnRate[] }) {
  return (
    <ul className="flex gap-1.5" aria-label="Burn rates">
      {rates.map((one) => (
        <li key={one.over}>
          <Badge
            tone={rateTone(one.rate)}
            title={`Over ${one.over} the budget was spent ${rateText(one.rate)} as fast as it may be: ${one.bad.toLocaleString('en')} bad of ${one.total.toLocaleString('en')}`}
          >
            <span className="font-normal opacity-75">{one.over}</span>
            <span className="num">{rateText(one.rate)}</span>
          </Badge>
        </li>
      ))}
    </ul>
  );
}
