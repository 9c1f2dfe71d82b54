import { useQuery } from '@tanstack/react-query';

import { spanOf } from '@/shared/chart/history';
import { HistoryChart } from '@/shared/chart/history-chart';
import { Skeleton } from '@/shared/ui/skeleton';

import type { FullIncident } from '../context';
import { historyQuery } from '../queries';
import { hasHistory, stretch } from '../state';

/** Series that are drawn at once. */
const MOST = 3;

/** The monitor's value around the incident, with its band or limit; the time of the incident is shaded. */
export function History({ incident }: { incident: FullIncident }) {
  const answer = useQuery({ ...historyQuery(incident), enabled: hasHistory(incident) });
  if (!hasHistory(incident)) return null;
  if (answer.isPending) return <Skeleton className="mt-3 h-36 w-full" />;
  if (answer.isError) return <p className="mt-3 text-xs text-muted">No chart: {answer.error.message}</p>;
  const series = answer.data.series
    .filter((one) => one.points.length > 0)
    .toSorted((one, other) => other.firings.length - one.firings.length);
  // What goes on goes on until now, also where the latest window isn't over yet.
  const end = incident.resolved_at ? Date.parse(answer.data.to) : answer.dataUpdatedAt;
  const shades = [stretch(incident, end)];
  const range = spanOf(series);
  if (!range) return <p className="mt-3 text-xs text-faint">No chart: no window is over yet.</p>;
  return (
    <div className="mt-3 space-y-3">
      {series.slice(0, MOST).map((one) => (
        <figure key={JSON.stringify(one.labels)} className="rounded-md border border-line px-1 pt-2">
          <HistoryChart
            series={one}
            shades={shades}
            shadesAre="incident"
            range={[range[0], Math.max(range[1], end)]}
          />
        </figure>
      ))}
      {series.length > MOST && (
        <p className="text-xs text-faint">{series.length - MOST} more series aren’t drawn.</p>
      )}
    </div>
  );
}
