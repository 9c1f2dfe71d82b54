import type { ReactNode } from 'react';

import type { Query } from '@/api/types';
import { Legend, type Series, SeriesChart } from '@/shared/chart/series-chart';
import type { Row } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import { formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { Card } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { type Chip, chipIs } from '@/shared/url/filters';

import type { Questions } from '../queries';
import { chipsOf, colorsOf, type Group, groupsOf, type Timeline, tokenClasses } from '../series';

interface Props {
  timeline: Timeline | undefined;
  modelRows: Row[];
  costRows: Row[];
  width: number;
  questions: Questions;
  onOpen: (chips: Chip[], stretch?: { from: number; to: number }) => void;
  onZoom: (from: number, to: number) => void;
}

const palette = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];
const rest = '--series-other';
const seriesOf = (groups: Group[], colors: Map<string, string>): Series[] =>
  groups.map(({ name, kind, values }) => ({
    label: name,
    values,
    color: (kind === 'other' ? undefined : colors.get(name)) ?? rest,
  }));

function ChartCard({
  title,
  query,
  children,
  legend,
}: {
  title: string;
  query: Query;
  children: ReactNode;
  legend?: ReactNode;
}) {
  return (
    <Card title={title} aside={<QueryButton title={title} query={query} />}>
      {children}
      {legend}
    </Card>
  );
}

/** Everything over time. A click on a bucket opens its traces, a drag zooms. */
export function Charts({ timeline, modelRows, costRows, width, questions, onOpen, onZoom }: Props) {
  if (!timeline) {
    return (
      <div className="grid gap-3 lg:grid-cols-2 2xl:grid-cols-3">
        {Array.from({ length: 6 }, (_, i) => (
          <Skeleton key={i} className="h-[250px] rounded-lg" />
        ))}
      </div>
    );
  }
  const { times, column } = timeline;
  const amount = (row: Row, name: string): number => (typeof row[name] === 'number' ? row[name] : 0);
  const common = { times, bucketMs: width, onZoom };
  const open =
    (...chips: Chip[]) =>
    (from: number, to: number): void =>
      onOpen(chips, { from, to });
  const requests: Series[] = [
    { label: 'failed', values: column('errors', 0), color: '--series-error' },
    {
      label: 'succeeded',
      values: column((row) => amount(row, 'requests') - amount(row, 'errors'), 0),
      color: '--series-1',
    },
  ];
  const latency: Series[] = [
    { label: 'p50', values: column('latency_p50', null), color: '--series-1' },
    { label: 'p95', values: column('latency_p95', null), color: '--series-2' },
    { label: 'p99', values: column('latency_p99', null), color: '--series-3' },
  ];
  const ttft: Series[] = [
    { label: 'p50', values: column('ttft_p50', null), color: '--series-1' },
    { label: 'p95', values: column('ttft_p95', null), color: '--series-2' },
  ];
  const tokens: Series[] = [
    { label: 'input', values: column((row) => tokenClasses(row).input, 0), color: '--series-2' },
    { label: 'cache read', values: column((row) => tokenClasses(row).cacheRead, 0), color: '--series-6' },
    { label: 'cache write', values: column((row) => tokenClasses(row).cacheWrite, 0), color: '--series-7' },
    { label: 'output', values: column((row) => tokenClasses(row).output, 0), color: '--series-3' },
    { label: 'reasoning', values: column((row) => tokenClasses(row).reasoning, 0), color: '--series-5' },
  ].filter(
    (one) => one.label === 'input' || one.label === 'output' || one.values.some((value) => (value ?? 0) > 0),
  );
  const modelGroups = groupsOf(modelRows, 'model', 'requests', timeline, width);
  const modelColors = colorsOf(modelGroups, palette, rest);
  const byModel = seriesOf(modelGroups, modelColors);
  const costGroups = groupsOf(costRows, 'model', 'cost', timeline, width);
  const costByModel = seriesOf(costGroups, colorsOf(costGroups, palette, rest, modelColors));
  const openOf =
    (groups: Group[], all: Series[]) =>
    (series: Series): void => {
      const group = groups[all.indexOf(series)];
      if (group) onOpen(chipsOf(group, groups, 'model'));
    };
  const openStatus = (series: Series): void =>
    onOpen(series.label === 'failed' ? [chipIs('status', 'error')] : []);
  return (
    <div className="grid gap-3 lg:grid-cols-2 2xl:grid-cols-3">
      <ChartCard
        title="Requests and errors"
        query={questions.overTime}
        legend={<Legend series={requests} onPick={openStatus} />}
      >
        <SeriesChart
          {...common}
          label="Requests and errors over time"
          kind="bars"
          series={requests}
          format={formatCount}
          onPick={open()}
        />
      </ChartCard>
      <ChartCard title="Latency" query={questions.overTime} legend={<Legend series={latency} />}>
        <SeriesChart
          {...common}
          label="Latency percentiles over time"
          kind="lines"
          series={latency}
          format={formatDuration}
          onPick={open()}
        />
      </ChartCard>
      <ChartCard title="Time to first token" query={questions.overTime} legend={<Legend series={ttft} />}>
        <SeriesChart
          {...common}
          label="Time to first token over time"
          kind="lines"
          series={ttft}
          format={formatDuration}
          onPick={open({ field: 'ttft_ms', op: 'exists', value: undefined })}
        />
      </ChartCard>
      <ChartCard
        title="Requests by model"
        query={questions.byModelOverTime}
        legend={<Legend series={byModel} onPick={openOf(modelGroups, byModel)} />}
      >
        <SeriesChart
          {...common}
          label="Requests by model over time"
          kind="bars"
          series={byModel}
          format={formatCount}
          onPick={open()}
        />
      </ChartCard>
      <ChartCard title="Tokens by class" query={questions.overTime} legend={<Legend series={tokens} />}>
        <SeriesChart
          {...common}
          label="Tokens by class over time"
          kind="bars"
          series={tokens}
          format={formatCount}
          onPick={open()}
        />
      </ChartCard>
      <ChartCard
        title="Cost by model"
        query={questions.costByModelOverTime}
        legend={<Legend series={costByModel} onPick={openOf(costGroups, costByModel)} />}
      >
        <SeriesChart
          {...common}
          label="Cost by model over time"
          kind="bars"
          series={costByModel}
          format={formatCost}
          onPick={open({ field: 'cost', op: '>', value: 0 })}
        />
      </ChartCard>
    </div>
  );
}
