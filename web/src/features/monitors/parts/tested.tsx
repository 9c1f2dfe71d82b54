import { useQuery } from '@tanstack/react-query';

import { HistoryChart } from '@/shared/chart/history-chart';
import { formatTime } from '@/shared/time/format';
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
  const { firings, series } = answer.data;
  return (
    <div className="space-y-4">
      <p className="text-sm">
        In the last {last} it would have fired{' '}
        <strong className={firings > 0 ? 'text-error' : 'text-ok'}>
          {firings} {firings === 1 ? 'time' : 'times'}
        </strong>
        {series.length > 1 && <span className="text-muted"> in {series.length} series</span>}.
      </p>
      {series.slice(0, MOST).map((one) => {
        const name = Object.values(one.labels).join(' · ');
        return (
          <figure key={name} className="rounded-md border border-line p-2">
            <HistoryChart series={one} />
            {one.firings.length > 0 && (
              <ul className="mt-1 space-y-0.5 px-2 pb-1 text-xs">
                {one.firings.slice(-5).map((firing) => (
                  <li key={firing.from} className="flex gap-2">
                    <span className="num shrink-0 text-error">{formatTime(firing.from)}</span>
                    <span className="truncate text-muted" title={firing.text}>
                      {firing.text}
                    </span>
                  </li>
                ))}
                {one.firings.length > 5 && (
                  <li className="text-faint">and {one.firings.length - 5} before</li>
                )}
              </ul>
            )}
          </figure>
        );
      })}
      {series.length > MOST && (
        <p className="text-xs text-faint">{series.length - MOST} more series aren’t drawn.</p>
      )}
    </div>
  );
}
