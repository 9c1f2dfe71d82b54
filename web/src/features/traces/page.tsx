import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Activity } from 'lucide-react';
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import type { TraceSummary } from '@/api/types';
import { useLive } from '@/shared/data/live';
import { FilterBar } from '@/shared/filter/filter-bar';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { readLocal, writeLocal } from '@/shared/theme/theme';
import { describeRange, isLive, type Range, readRange } from '@/shared/time/range';
import { RangePicker } from '@/shared/time/range-picker';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { GettingStarted } from '@/shared/ui/getting-started';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { readChips, toFilter, writeChips } from '@/shared/url/filters';
import type { TracesSearch } from '@/shared/url/range-search';

import { flatten, mergeNewest } from './merge';
import { useLayout } from './parts/layout';
import { Peek } from './parts/peek';
import { SearchHelp } from './parts/search-help';
import { rowHeight, TracesTable } from './parts/table';
import { ColumnPicker, LiveToggle, SearchBox } from './parts/toolbar';
import { Volume } from './parts/volume';
import { fetchTraces, type TracesWanted, tracesQuery } from './queries';

const route = getRouteApi('/house/traces');
const liveKey = 'signalbox.traces.live';

/** New traces come in by themselves; scroll position and selection stay where they are. */
function useArrivals(
  wanted: TracesWanted,
  wantsLive: boolean,
  list: TraceSummary[],
  scroller: RefObject<HTMLDivElement | null>,
) {
  const queryClient = useQueryClient();
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  const running = useRef(false);
  const again = useRef(false);
  const shift = useRef(0);
  // In the same frame as the rows, so that what is read does not jump.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element && element.scrollTop > rowHeight) element.scrollBy(0, shift.current);
    shift.current = 0;
  }, [list, scroller]);
  const refresh = async (): Promise<void> => {
    if (running.current) {
      again.current = true;
      return;
    }
    running.current = true;
    try {
      const { queryKey } = tracesQuery(wanted);
      const newest = await fetchTraces(wanted, undefined);
      const before = queryClient.getQueryData(queryKey);
      if (!before) return;
      const { pages, added } = mergeNewest(before.pages, newest);
      shift.current += added.length * rowHeight;
      queryClient.setQueryData(queryKey, { ...before, pages: pages as typeof before.pages });
      if (added.length > 0) setArrived(new Set(added.map((trace) => trace.trace_id)));
    } catch {
      // The next span tries again; a lasting failure shows when the list itself is read.
    } finally {
      running.current = false;
      if (again.current) {
        again.current = false;
        void refresh();
      }
    }
  };
  const state = useLive(wantsLive, wanted, () => void refresh());
  const latest = useRef(refresh);
  useEffect(() => {
    latest.current = refresh;
  });
  // A slow reader of the stream misses spans, and a proxy may not let it through at all.
  useEffect(() => {
    if (!wantsLive) return;
    const timer = setInterval(() => void latest.current(), state === 'on' ? 30_000 : 5_000);
    return () => clearInterval(timer);
  }, [wantsLive, state]);
  return { arrived, state };
}

function Nothing({
  search,
  range,
  onChange,
}: {
  search: TracesSearch;
  range: Range;
  onChange: (search: TracesSearch) => void;
}) {
  const filtered = search.q !== undefined || (search.f?.length ?? 0) > 0;
  if (filtered) {
    return (
      <EmptyState icon={<Activity size={24} />} title="No trace passes these filters" className="py-20">
        <p className="mb-4">{describeRange(range)}.</p>
        <div className="flex justify-center gap-2">
          <Button onClick={() => onChange({ ...search, q: undefined, f: undefined })}>
            Clear the filters
          </Button>
          {range.from !== 'now-7d' && (
            <Button onClick={() => onChange({ ...search, from: 'now-7d', to: 'now' })}>Last 7 days</Button>
          )}
        </div>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={<Activity size={24} />} title="No traces in this range yet" className="py-14">
      <p className="mb-5">
        Make a call and watch it arrive: this list is live.{' '}
        {range.from !== 'now-7d' && (
          <button
            type="button"
            className="font-medium text-accent hover:underline"
            onClick={() => onChange({ ...search, from: 'now-7d', to: 'now' })}
          >
            Or look at the last 7 days.
          </button>
        )}
      </p>
      <GettingStarted />
    </EmptyState>
  );
}

export function TracesPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const range = readRange(search);
  const chips = readChips(search.f);
  const wanted: TracesWanted = { range, q: search.q, filter: toFilter(chips) };
  const traces = useInfiniteQuery(tracesQuery(wanted));
  const pages = traces.data?.pages;
  const list = useMemo(() => flatten(pages ?? []), [pages]);

  const [layout, setLayout] = useLayout();
  const [liveWanted, setLiveWanted] = useState(() => readLocal(liveKey) !== 'off');
  const [cursor, setCursor] = useState<string>();
  const scroller = useRef<HTMLDivElement>(null);
  const searchInput = useRef<HTMLInputElement>(null);
  const { arrived, state } = useArrivals(wanted, liveWanted && isLive(range), list, scroller);

  const go = (next: TracesSearch, replace = false): void =>
    void navigate({ to: '/traces', search: next, replace });
  const open = (traceId: string): void => void navigate({ to: '/traces/$traceId', params: { traceId } });
  const selected = search.peek ?? cursor;
  const select = (traceId: string): void => {
    setCursor(traceId);
    go({ ...search, peek: traceId }, search.peek !== undefined);
  };
  const move = (step: number): void => {
    const at = list.findIndex((trace) => trace.trace_id === selected);
    const next = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + step))];
    if (!next) return;
    setCursor(next.trace_id);
    if (search.peek !== undefined) go({ ...search, peek: next.trace_id }, true);
  };
  const toggleLive = (): void => {
    writeLocal(liveKey, liveWanted ? 'off' : 'on');
    setLiveWanted(!liveWanted);
  };
  const group = 'Traces';
  useShortcuts([
    { keys: '/', label: 'Search', group, run: () => searchInput.current?.focus() },
    { keys: 'j', label: 'Next trace', group, run: () => move(1) },
    { keys: 'k', label: 'Previous trace', group, run: () => move(-1) },
    { keys: 'enter', label: 'Open the trace', group, run: () => selected && open(selected) },
    { keys: 'p', label: 'Look beside the list', group, run: () => selected && select(selected) },
    {
      keys: 'escape',
      label: 'Close the preview',
      group,
      run: () => search.peek && go({ ...search, peek: undefined }),
    },
    { keys: 'l', label: 'Live on or off', group, run: toggleLive },
  ]);

  const setRange = (next: Range): void => go({ ...search, ...next });
  const zoom = (from: number, to: number): void =>
    setRange({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  const none = traces.data !== undefined && !traces.isPlaceholderData && list.length === 0;
  return (
    <>
      <title>Traces · Signalbox</title>
      <PageHeader title="Traces">
        <SearchBox
          value={search.q ?? ''}
          onChange={(q) => go({ ...search, q: q === '' ? undefined : q }, true)}
          input={searchInput}
        />
        <SearchHelp />
        <LiveToggle state={state} possible={isLive(range)} onToggle={toggleLive} />
        <RangePicker range={range} onChange={setRange} />
        <ColumnPicker layout={layout} onLayout={setLayout} />
      </PageHeader>
      <div className="flex min-h-0 flex-1">
        <div className="flex min-w-0 flex-1 flex-col">
          <div className="shrink-0 border-b border-line bg-surface px-5 py-2">
            <FilterBar
              chips={chips}
              range={range}
              onChange={(next) => go({ ...search, f: writeChips(next) })}
            />
          </div>
          {!none && (
            <div className="shrink-0 border-b border-line bg-surface px-2">
              <Volume wanted={wanted} live={isLive(range)} onZoom={zoom} />
            </div>
          )}
          <div
            ref={scroller}
            className={cx(
              'min-h-0 flex-1 overflow-auto bg-surface transition-opacity',
              traces.isPlaceholderData && 'opacity-60',
            )}
          >
            {traces.isPending && (
              <SkeletonRows rows={14} widths={['w-24', 'w-44', 'flex-1', 'w-28', 'w-16', 'w-16']} />
            )}
            {traces.isError && !traces.data && (
              <ErrorState error={traces.error} retry={() => void traces.refetch()} className="py-24" />
            )}
            {none && <Nothing search={search} range={range} onChange={go} />}
            {list.length > 0 && (
              <TracesTable
                traces={list}
                layout={layout}
                onLayout={setLayout}
                selected={selected}
                onSelect={select}
                onOpen={open}
                arrived={arrived}
                onEnd={() => void traces.fetchNextPage()}
                loadingMore={traces.isFetchingNextPage}
                hasMore={traces.hasNextPage && !traces.isFetchNextPageError}
                scroller={scroller}
              />
            )}
            {traces.isFetchNextPageError && (
              <ErrorState error={traces.error} retry={() => void traces.fetchNextPage()} />
            )}
            {traces.isFetchingNextPage && <SkeletonRows rows={3} widths={['w-24', 'w-44', 'flex-1']} />}
            {list.length > 0 && !traces.hasNextPage && (
              <p className="py-6 text-center text-xs text-faint">
                That is all of it: {list.length.toLocaleString('en-US')}{' '}
                {list.length === 1 ? 'trace' : 'traces'}.
              </p>
            )}
          </div>
        </div>
        {search.peek && (
          <Peek
            traceId={search.peek}
            trace={list.find((one) => one.trace_id === search.peek)}
            onClose={() => go({ ...search, peek: undefined })}
          />
        )}
      </div>
    </>
  );
}
