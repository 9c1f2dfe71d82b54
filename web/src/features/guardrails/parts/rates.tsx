import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { Legend, type Series, SeriesChart } from '@/shared/chart/series-chart';
import { answerQuery, keysQuery, numberOf, rowsOf } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import { formatCount, formatShare } from '@/shared/format/numbers';
import { asText } from '@/shared/format/text';
import { bucketFor, type Range } from '@/shared/time/range';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Card } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { type Dimension, dimensions, isDimension, ratesFor, sharesOf } from '../rates';

const cell = 'px-3 py-2 text-left whitespace-nowrap first:pl-4 last:pr-4';
const number = cx(cell, 'num text-right');

/** How many of the calls were flagged, redacted and blocked: by route, model, user or key, and over time. */
export function Rates({
  range,
  refetchInterval,
  onZoom,
}: {
  range: Range;
  refetchInterval: number | false;
  onZoom: (from: number, to: number) => void;
}) {
  const [dimension, setDimension] = useState<Dimension>('route');
  const { field, title } = dimensions[dimension];
  const { table, overTime } = ratesFor(range, dimension);
  const totals = useQuery({ ...answerQuery(table), refetchInterval });
  const { data, dataUpdatedAt, ...series } = useQuery({ ...answerQuery(overTime), refetchInterval });
  const keys = useQuery({ ...keysQuery, enabled: dimension === 'key' });
  const names = new Map(keys.data?.keys.map(({ id, name }) => [id, name]));
  const nameOf = (value: string): string => names.get(value) ?? value;
  const { from, to } = range;
  const drawn = useMemo(
    () => data && sharesOf(rowsOf(data), field, { from, to }, dataUpdatedAt),
    [data, dataUpdatedAt, field, from, to],
  );
  const lines: Series[] = (drawn?.lines ?? []).map(({ name, values }, i) => ({
    label: nameOf(name),
    values,
    color: name === 'all others' ? '--series-other' : `--series-${(i % 7) + 1}`,
  }));
  const rows = rowsOf(totals.data);
  return (
    <Card
      title="Share of calls with findings"
      aside={
        <>
          <select
            aria-label="Told apart by"
            value={dimension}
            onChange={(event) => isDimension(event.target.value) && setDimension(event.target.value)}
            className={cx(inputClass, 'h-7 w-28 text-xs')}
          >
            {Object.entries(dimensions).map(([name, one]) => (
              <option key={name} value={name}>
                by {one.title.toLowerCase()}
              </option>
            ))}
          </select>
          <QueryButton title="Share of calls with findings" query={table} />
        </>
      }
    >
      <div className="px-4 pb-3">
        {series.isPending && <Skeleton className="h-44 rounded-md" />}
        {series.isError && !data && <ErrorState error={series.error} retry={() => void series.refetch()} />}
        {drawn && (
          <>
            <SeriesChart
              label={`Share of calls with findings by ${title.toLowerCase()} over time`}
              times={drawn.times}
              bucketMs={bucketFor(range).ms}
              series={lines}
              kind="lines"
              format={formatShare}
              onZoom={onZoom}
            />
            <Legend series={lines} />
          </>
        )}
      </div>
      {rows.length > 0 && (
        <div className="scroll-hint max-h-64 overflow-auto">
          <table className="w-full text-sm">
            <thead className="sticky-head text-xs text-faint">
              <tr>
                {[title, 'Calls', 'Flagged', 'Redacted', 'Blocked'].map((head, i) => (
                  <th key={head} scope="col" className={cx(i > 0 ? number : cell, 'font-medium')}>
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((row) => {
                const value = row[field] === null ? '' : asText(row[field]);
                const calls = numberOf(row.calls) ?? 0;
                return (
                  <tr key={value}>
                    <td className={cx(cell, 'font-mono text-xs', value === '' && 'text-faint')}>
                      {value === '' ? 'none' : nameOf(value)}
                    </td>
                    <td className={number}>{formatCount(calls)}</td>
                    {['flag', 'redact', 'block'].map((verdict) => {
                      const count = numberOf(row[verdict]) ?? 0;
                      return (
                        <td key={verdict} className={number} title={formatCount(count)}>
                          {formatShare(calls > 0 ? count / calls : 0)}
                        </td>
                      );
                    })}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
