import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { RotateCw, TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';

import { answerQuery, numberOf, rowsOf, statusQuery } from '@/shared/data/query';
import { FilterBar } from '@/shared/filter/filter-bar';
import { formatCount } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { boundsOf, bucketFor, describeRange, isLive, type Range, readRange } from '@/shared/time/range';
import { RangePicker } from '@/shared/time/range-picker';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { GettingStarted } from '@/shared/ui/getting-started';
import { PageHeader } from '@/shared/ui/page';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { type Chip, readChips, writeChips } from '@/shared/url/filters';

import { Charts } from './parts/charts';
import { Scores } from './parts/scores';
import { ModelTable, RecentErrors } from './parts/tables';
import { Tiles } from './parts/tiles';
import { isCall, joined, questionsFor } from './queries';
import { timelineOf } from './series';

const route = getRouteApi('/house/');
const refreshMs = 10_000;

function ShedBanner() {
  const status = useQuery(statusQuery);
  const shed = status.data?.shed_spans ?? 0;
  if (shed === 0) return null;
  return (
    <div
      role="status"
      className="flex items-center gap-2.5 rounded-lg bg-warn-soft px-4 py-2.5 text-sm text-warn"
    >
      <TriangleAlert size={16} className="shrink-0" aria-hidden />
      <p>
        <strong className="num font-semibold">{formatCount(shed)} spans</strong> could not be kept since the
        start, because the store was busy: numbers on this page are too low by as many. Calls went through all
        the same.
      </p>
    </div>
  );
}

function NoCalls({
  range,
  filtered,
  onWiden,
  onClear,
}: {
  range: Range;
  filtered: boolean;
  onWiden: () => void;
  onClear: () => void;
}) {
  if (filtered) {
    return (
      <EmptyState title="No call passes these filters" className="py-20">
        <p className="mb-4">{describeRange(range)}.</p>
        <Button onClick={onClear}>Clear the filters</Button>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No calls in this range yet" className="py-14">
      <p className="mb-5">
        Point a client at this address and its calls appear here within a second.{' '}
        {range.from !== 'now-7d' && (
          <button type="button" className="font-medium text-accent hover:underline" onClick={onWiden}>
            Or look at the last 7 days.
          </button>
        )}
      </p>
      <GettingStarted />
    </EmptyState>
  );
}

export function OverviewPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const range = readRange(search);
  const chips = readChips(search.f);
  const questions = questionsFor(range, chips);
  const refetchInterval = isLive(range) ? refreshMs : (false as const);
  const names = [
    'now',
    'before',
    'overTime',
    'byModel',
    'byModelOverTime',
    'costByModelOverTime',
    'errors',
  ] as const;
  const answers = useQueries({
    queries: names.map((name) => ({
      ...answerQuery(questions[name]),
      refetchInterval,
      placeholderData: keepPreviousData,
    })),
  });
  const [now, before, overTime, byModel, byModelOverTime, costByModelOverTime, errors] = answers;
  const besides = ['now', 'before', 'overTime', 'byModel'] as const;
  const first = useQueries({
    queries: besides.map((name) => ({
      ...answerQuery(questions.first?.[name] ?? questions[name]),
      enabled: questions.first !== undefined,
      refetchInterval,
      placeholderData: keepPreviousData,
    })),
  });
  const asked = questions.first !== undefined;
  const [nowFirst, beforeFirst, overTimeFirst, byModelFirst] = first;
  const width = bucketFor(range).ms;
  const overTimeData = overTime?.data;
  // Of a range before, where nothing is asked.
  const overTimeFirstData = asked ? overTimeFirst?.data : undefined;
  const updatedAt = overTime?.dataUpdatedAt ?? 0;
  const { from, to } = range;
  const timeline = useMemo(() => {
    if (!overTimeData) return undefined;
    // The bounds move with the data, not with the clock: between refreshes nothing jumps.
    const rows = joined(rowsOf(overTimeData), rowsOf(overTimeFirstData));
    return timelineOf(rows, boundsOf({ from, to }, updatedAt), width);
  }, [overTimeData, overTimeFirstData, updatedAt, from, to, width]);
  const refresh = (): void => {
    for (const answer of asked ? [...answers, ...first] : answers) void answer.refetch();
  };
  const setRange = (next: Range): void => void navigate({ to: '/', search: { ...search, ...next } });
  const setChips = (next: Chip[]): void =>
    void navigate({ to: '/', search: { ...search, f: writeChips(next) } });
  const openTraces = (more: Chip[], stretch?: { from: number; to: number }): void => {
    // The same spans as the number counts, so that the list has as many.
    const about = [isCall, ...chips, ...more];
    const time = stretch
      ? { from: new Date(stretch.from).toISOString(), to: new Date(stretch.to).toISOString() }
      : range;
    void navigate({ to: '/traces', search: { ...time, f: writeChips(about) } });
  };
  useShortcuts([{ keys: 'r', label: 'Refresh', group: 'Overview', run: refresh }]);

  const nowRow = joined(rowsOf(now?.data), rowsOf(asked ? nowFirst?.data : undefined))[0];
  const failed = answers.find((answer) => answer.isError && !answer.data);
  const none = nowRow !== undefined && !now?.isPlaceholderData && (numberOf(nowRow.requests) ?? 0) === 0;
  const stale = answers.some((answer) => answer.isPlaceholderData);
  return (
    <>
      <title>Overview · Signalbox</title>
      <PageHeader title="Overview">
        <FilterBar chips={chips} range={range} onChange={setChips} />
        <RangePicker range={range} onChange={setRange} />
        <IconButton label={isLive(range) ? 'Refresh (by itself every 10 s)' : 'Refresh'} onClick={refresh}>
          <RotateCw size={14} className={cx(answers.some((answer) => answer.isFetching) && 'animate-spin')} />
        </IconButton>
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div
          className={cx(
            'mx-auto flex max-w-[1720px] flex-col gap-3 p-5 transition-opacity',
            stale && 'opacity-60',
          )}
        >
          <ShedBanner />
          {failed && <ErrorState error={failed.error} retry={refresh} className="min-h-[50vh]" />}
          {!failed && none && (
            <NoCalls
              range={range}
              filtered={chips.length > 0}
              onWiden={() => setRange({ from: 'now-7d', to: 'now' })}
              onClear={() => setChips([])}
            />
          )}
          {!failed && !none && (
            <>
              <Tiles
                now={nowRow}
                before={joined(rowsOf(before?.data), rowsOf(asked ? beforeFirst?.data : undefined))[0]}
                timeline={timeline ?? timelineOf([], { from: 0, to: 0 }, width)}
                query={questions.now}
                onOpen={openTraces}
              />
              <Charts
                timeline={timeline}
                modelRows={rowsOf(byModelOverTime?.data)}
                costRows={rowsOf(costByModelOverTime?.data)}
                width={width}
                questions={questions}
                onOpen={openTraces}
                onZoom={(start, end) =>
                  setRange({ from: new Date(start).toISOString(), to: new Date(end).toISOString() })
                }
              />
              <Scores
                range={range}
                filtered={chips.length > 0}
                refetchInterval={refetchInterval}
                onZoom={(start, end) =>
                  setRange({ from: new Date(start).toISOString(), to: new Date(end).toISOString() })
                }
              />
              <div className="grid gap-3 xl:grid-cols-5">
                <ModelTable
                  rows={
                    byModel?.data &&
                    joined(rowsOf(byModel.data), rowsOf(asked ? byModelFirst?.data : undefined))
                  }
                  questions={questions}
                  onOpen={openTraces}
                />
                <RecentErrors
                  rows={errors?.data && rowsOf(errors.data)}
                  questions={questions}
                  onOpen={openTraces}
                />
              </div>
            </>
          )}
        </div>
      </div>
    </>
  );
}
