import { useQuery } from '@tanstack/react-query';

import { firingsOf, nameOf, spanOf } from '@/shared/chart/history';
import { HistoryChart } from '@/shared/chart/history-chart';
import { exactTime, formatTime } from '@/shared/time/format';
import { Coded } from '@/shared/ui/coded';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { type Definition, testQuery } from '../queries';

/** Series that are drawn at once. */
const MOST = 4;

/** What a monitor would have said: how often it would have fired, and the band drawn over history. */
export function Tested({ definition, last }: { definition: Definition; last: string }) {
  const answer = useQuery(testQuery(definition, last));
  if (answer.isPending) return <Skeleton className="h-44 w-full" />;
  if (answer.isError) return <ErrorState error={answer.error} className="p-4" />;
  const { firings, to } = answer.data;
  const end = Date.parse(to);
  // What would have fired is what somebody looks for.
  const series = answer.data.series.toSorted((one, other) => other.firings.length - one.firings.length);
  const drawn = series.filter((one) => one.points.length > 0).slice(0, MOST);
  const span = spanOf(drawn);
  return (
    <div className="space-y-4">
      <p className="text-sm">
        In the last {last.replace(/d$/, ' days')} it would have fired{' '}
        <strong className={firings > 0 ? 'text-error' : 'text-ok'}>
          {firings} {firings === 1 ? 'time' : 'times'}
        </strong>
        {series.length > 1 && <span className="text-muted"> in {series.length} series</span>}.
      </p>
      {drawn.map((one) => (
        <figure key={nameOf(one)} className="rounded-md border border-line px-1 pt-2">
          <HistoryChart
            series={one}
            shades={firingsOf(one, end)}
            range={span && [span[0], Math.max(span[1], end)]}
          />
          {one.firings.length > 0 && (
            <ul className="space-y-0.5 px-2 pb-2 text-xs">
              {one.firings.slice(-5).map((firing) => (
                <li key={firing.from} className="flex gap-2">
                  <span className="num shrink-0 text-error" title={exactTime(firing.from)}>
                    {formatTime(firing.from)}
                  </span>
                  <span className="truncate text-muted" title={firing.text}>
                    <Coded text={firing.text} />
                  </span>
                </li>
              ))}
              {one.firings.length > 5 && <li className="text-faint">and {one.firings.length - 5} before</li>}
            </ul>
          )}
        </figure>
      ))}
      {series.length > drawn.length && (
        <p className="text-xs text-faint">
          {drawn.length === 0
            ? 'Nothing was recorded that it could have looked at.'
            : `${series.length - drawn.length} more series aren’t drawn.`}
        </p>
      )}
    </div>
  );
}
