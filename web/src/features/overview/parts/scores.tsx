import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';

import { Legend, type Series, SeriesChart } from '@/shared/chart/series-chart';
import { answerQuery, rowsOf } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import { formatShare, trimZeros } from '@/shared/format/numbers';
import { boundsOf, bucketFor, type Range } from '@/shared/time/range';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { type ScoreLine, scoreLines, scoresQuestion } from '../scores';

type View = 'passRate' | 'mean';
const titles: Record<View, string> = { passRate: 'Pass rate', mean: 'Mean' };
const formats: Record<View, (value: number) => string> = {
  passRate: formatShare,
  mean: (value) => trimZeros(value.toFixed(Math.abs(value) < 10 ? 2 : 0)),
};

const says = (lines: ScoreLine[], view: View): boolean =>
  lines.some((line) => line[view].some((value) => value !== null));

function Views({
  view,
  lines,
  onChange,
}: {
  view: View;
  lines: ScoreLine[];
  onChange: (view: View) => void;
}) {
  return (
    <div role="radiogroup" aria-label="What of the scores" className="flex rounded-md bg-sunken p-0.5">
      {(Object.keys(titles) as View[]).map((one) => (
        <button
          key={one}
          type="button"
          role="radio"
          aria-checked={view === one}
          disabled={!says(lines, one)}
          onClick={() => onChange(one)}
          className={cx(
            'rounded-sm px-2 py-0.5 text-2xs font-medium disabled:opacity-40',
            view === one ? 'bg-surface text-ink shadow-sm' : 'text-muted hover:text-ink',
          )}
        >
          {titles[one]}
        </button>
      ))}
    </div>
  );
}

/** How good answers are over time, by the scores' names. A click in the legend shows one alone. */
export function Scores({
  range,
  filtered,
  refetchInterval,
  onZoom,
}: {
  range: Range;
  filtered: boolean;
  refetchInterval: number | false;
  onZoom: (from: number, to: number) => void;
}) {
  const query = scoresQuestion(range);
  const answer = useQuery({ ...answerQuery(query), refetchInterval });
  const [picked, setPicked] = useState<View>();
  const [only, setOnly] = useState<string>();
  const { data, dataUpdatedAt } = answer;
  const { from, to } = range;
  const width = bucketFor(range).ms;
  const drawn = useMemo(
    // The bounds move with the data, not with the clock.
    () => data && scoreLines(rowsOf(data), boundsOf({ from, to }, dataUpdatedAt), width),
    [data, dataUpdatedAt, from, to, width],
  );
  const lines = drawn?.lines ?? [];
  const view =
    picked !== undefined && says(lines, picked) ? picked : says(lines, 'passRate') ? 'passRate' : 'mean';
  const all: Series[] = lines.map((line, i) => ({
    label: line.name,
    values: line[view],
    color: `--series-${(i % 7) + 1}`,
  }));
  const alone = all.filter((one) => one.label === only);
  const none = drawn !== undefined && lines.length === 0;
  return (
    <Card
      title={
        <>
          Scores
          {filtered && (
            <span className="ml-2 text-xs font-normal text-faint">
              of all traffic: filters are about spans
            </span>
          )}
        </>
      }
      aside={
        <>
          {lines.length > 0 && <Views view={view} lines={lines} onChange={setPicked} />}
          <QueryButton title="Scores" query={query} />
        </>
      }
    >
      {answer.isPending && <Skeleton className="mx-4 mb-4 h-40 rounded-md" />}
      {answer.isError && !data && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {none && (
        <EmptyState title="Nothing was scored in this range" className="p-5">
          <Link to="/online" className="font-medium text-accent hover:underline">
            Score calls as they arrive
          </Link>
          , without delaying them.
        </EmptyState>
      )}
      {drawn && !none && (
        <>
          <SeriesChart
            label={`${titles[view]} of scores over time`}
            times={drawn.times}
            bucketMs={width}
            series={alone.length > 0 ? alone : all}
            kind="lines"
            format={formats[view]}
            onZoom={onZoom}
          />
          <Legend series={all} onPick={({ label }) => setOnly(only === label ? undefined : label)} />
        </>
      )}
    </Card>
  );
}
