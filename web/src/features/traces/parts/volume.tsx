import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { type Series, SeriesChart } from '@/shared/chart/series-chart';
import { bucketStarts } from '@/shared/chart/stack';
import { answerQuery, numberOf, rowsOf } from '@/shared/data/query';
import { formatCount } from '@/shared/format/numbers';
import { boundsOf, bucketFor } from '@/shared/time/range';

import { type TracesWanted, volumeQuestion } from '../queries';

/** How many spans when: drag over it to look closer. */
export function Volume({
  wanted,
  live,
  onZoom,
}: {
  wanted: TracesWanted;
  live: boolean;
  onZoom: (from: number, to: number) => void;
}) {
  const answer = useQuery({ ...answerQuery(volumeQuestion(wanted)), refetchInterval: live ? 10_000 : false });
  const width = bucketFor(wanted.range).ms;
  const { from, to } = wanted.range;
  const { data, dataUpdatedAt } = answer;
  const { times, series } = useMemo(() => {
    const bounds = boundsOf({ from, to }, dataUpdatedAt);
    const starts = data ? bucketStarts(bounds.from, bounds.to, width) : [];
    const rows = new Map(
      rowsOf(data).map((row) => [Math.floor(Date.parse(String(row.bucket)) / width) * width, row]),
    );
    const errors = starts.map((time) => numberOf(rows.get(time)?.errors) ?? 0);
    const rest = starts.map((time, i) => (numberOf(rows.get(time)?.spans) ?? 0) - (errors[i] ?? 0));
    const drawn: Series[] = [
      { label: 'failed', values: errors, color: '--series-error' },
      { label: 'others', values: rest, color: '--series-1' },
    ];
    return { times: starts, series: drawn };
  }, [data, dataUpdatedAt, from, to, width]);
  if (times.length === 0) return <div className="h-[88px]" />;
  return (
    <SeriesChart
      label="Spans over time"
      kind="bars"
      times={times}
      bucketMs={width}
      series={series}
      format={formatCount}
      onZoom={onZoom}
      onPick={(start, end) => onZoom(start, end)}
      height={80}
    />
  );
}
