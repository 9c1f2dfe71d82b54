import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import type { Query } from '@/api/types';
import { Legend, type Series, SeriesChart } from '@/shared/chart/series-chart';
import { answerQuery, rowsOf } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import { formatCount } from '@/shared/format/numbers';
import { bucketFor, type Range } from '@/shared/time/range';
import { Card } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { linesOf } from '../questions';

/** Findings over time, by scanner. */
export function OverTime({
  query,
  range,
  refetchInterval,
  onZoom,
}: {
  query: Query;
  range: Range;
  refetchInterval: number | false;
  onZoom: (from: number, to: number) => void;
}) {
  const answer = useQuery({ ...answerQuery(query), refetchInterval });
  const { data, dataUpdatedAt } = answer;
  const { from, to } = range;
  const drawn = useMemo(
    // The bounds move with the data, not with the clock.
    () => data && linesOf(rowsOf(data), { from, to }, dataUpdatedAt),
    [data, dataUpdatedAt, from, to],
  );
  const series: Series[] = (drawn?.lines ?? []).map(({ name, values }, i) => ({
    label: name,
    values,
    color: name === 'all others' ? '--series-other' : `--series-${(i % 7) + 1}`,
  }));
  return (
    <Card title="Findings over time" aside={<QueryButton title="Findings over time" query={query} />}>
      <div className="px-4 pb-3">
        {answer.isPending && <Skeleton className="h-44 rounded-md" />}
        {answer.isError && !data && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
        {drawn && (
          <>
            <SeriesChart
              label="Findings by scanner over time"
              times={drawn.times}
              bucketMs={bucketFor(range).ms}
              series={series}
              kind="bars"
              format={formatCount}
              onZoom={onZoom}
            />
            <Legend series={series} />
          </>
        )}
      </div>
    </Card>
  );
}
