import { useInfiniteQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { FileUp, ListPlus, Search } from 'lucide-react';
import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';

import type { Dataset, DatasetItem, DatasetVersion } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import type { DatasetSearch } from '@/shared/url/dataset-search';

import { fieldsOf, lineOf, splitsOf } from '../item';
import { itemsQuery } from '../queries';
import { ItemDrawer } from './drawer';
import { colorOfSplit } from './split-bar';

const rowHeight = 44;
const template = 'minmax(110px, 0.7fr) minmax(220px, 2.4fr) minmax(160px, 1.6fr) minmax(160px, 1.6fr) 110px';
const typingMs = 250;

interface Props {
  dataset: Dataset;
  search: DatasetSearch;
  /** The branch has no version yet. */
  empty: boolean;
  go: (next: DatasetSearch) => void;
  input: RefObject<HTMLInputElement | null>;
  adding: boolean;
  onAdding: (adding: boolean) => void;
  onImport: () => void;
}

function Row({
  item,
  version,
  selected,
  onOpen,
}: {
  item: DatasetItem;
  version: DatasetVersion;
  selected: boolean;
  onOpen: () => void;
}) {
  const fields = fieldsOf(item);
  return (
    <div
      role="row"
      aria-selected={selected}
      onClick={onOpen}
      className={cx(
        'grid h-full cursor-pointer items-center gap-4 border-b border-line/70 px-5 text-sm transition-colors',
        selected ? 'bg-accent-soft/70 shadow-[inset_2px_0_0_var(--accent)]' : 'hover:bg-hover',
      )}
      style={{ gridTemplateColumns: template }}
    >
      <span role="cell" className="truncate font-mono text-xs text-muted">
        {item.id}
      </span>
      {item.fields === undefined ? (
        <span role="cell" className="col-span-3 text-faint italic">
          erased
        </span>
      ) : (
        (['input', 'output', 'reference'] as const).map((field) => (
          <span key={field} role="cell" className={cx('truncate', field !== 'input' && 'text-muted')}>
            {lineOf(fields[field]) || <span className="text-faint">–</span>}
          </span>
        ))
      )}
      <span role="cell" className="flex items-center gap-1.5 truncate text-xs text-muted">
        {item.split !== undefined && (
          <>
            <span
              aria-hidden
              className="size-2 shrink-0 rounded-full"
              style={{ background: colorOfSplit(version, item.split) }}
            />
            {item.split}
          </>
        )}
      </span>
    </div>
  );
}

function Toolbar({
  version,
  search,
  go,
  input,
}: {
  version?: DatasetVersion;
  search: DatasetSearch;
  go: (next: DatasetSearch) => void;
  input: RefObject<HTMLInputElement | null>;
}) {
  const [text, setText] = useState(search.q ?? '');
  const asked = search.q ?? '';
  useEffect(() => {
    if (text.trim() === asked) return;
    const timer = setTimeout(() => go({ ...search, q: text.trim() || undefined }), typingMs);
    return () => clearTimeout(timer);
  });
  const splits = version ? splitsOf(version).filter(([name]) => name !== '') : [];
  return (
    <div className="flex min-h-12 shrink-0 flex-wrap items-center gap-2 border-b border-line px-5 py-2">
      <label className="relative w-72">
        <Search size={14} className="absolute top-2 left-2.5 text-faint" aria-hidden />
        <input
          ref={input}
          type="search"
          aria-label="Search items"
          placeholder="Search items  /"
          className={cx(inputClass, 'pl-8')}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      {splits.length > 0 && (
        <div role="group" aria-label="Splits" className="flex flex-wrap gap-1">
          {splits.map(([name, count]) => (
            <button
              key={name}
              type="button"
              aria-pressed={search.split === name}
              onClick={() => go({ ...search, split: search.split === name ? undefined : name })}
              className={cx(
                'flex h-7 items-center gap-1.5 rounded-md border px-2 text-xs font-medium transition-colors',
                search.split === name
                  ? 'border-accent bg-accent-soft text-accent'
                  : 'border-line text-muted hover:bg-hover hover:text-ink',
              )}
            >
              <span
                aria-hidden
                className="size-2 rounded-full"
                style={{ background: version && colorOfSplit(version, name) }}
              />
              {name}
              <span className="num text-faint">{formatCount(count)}</span>
            </button>
          ))}
        </div>
      )}
      <span className="num ml-auto text-xs text-muted">
        {version && `${formatCount(version.items)} ${version.items === 1 ? 'item' : 'items'}`}
      </span>
    </div>
  );
}

/** The items of a version: only the rows in sight are there. */
export function Items({ dataset, search, empty, go, input, adding, onAdding, onImport }: Props) {
  const { name } = dataset;
  const answer = useInfiniteQuery({
    ...itemsQuery(name, { version: search.version, split: search.split, text: search.q }),
    enabled: !empty,
  });
  const items = useMemo(() => answer.data?.pages.flatMap((page) => page.items) ?? [], [answer.data]);
  const version = answer.data?.pages[0]?.version;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isFetching, isError } = answer;
  useEffect(() => {
    if (hasNextPage && !isFetching && !isError && last >= items.length - 30) void fetchNextPage();
  }, [hasNextPage, isFetching, isError, last, items.length, fetchNextPage]);
  const at = items.findIndex((item) => item.id === search.item);
  const open = (item: string | undefined): void => go({ ...search, item });
  const move = (step: number): void => {
    const next = items[Math.min(items.length - 1, Math.max(0, at + step))];
    if (!next) return;
    open(next.id);
    virtual.scrollToIndex(items.indexOf(next), { align: 'auto' });
  };
  const group = 'Items';
  useShortcuts([
    { keys: 'j', label: 'Next item', group, run: () => move(1) },
    { keys: 'k', label: 'Previous item', group, run: () => move(-1) },
    { keys: 'escape', label: 'Close the item', group, run: () => open(undefined) },
  ]);
  const branch = dataset.branches.find((one) => one.name === (search.version ?? 'main'));
  const drawer = (adding || search.item !== undefined) && (
    <ItemDrawer
      key={adding ? ' new' : search.item}
      dataset={name}
      version={version}
      branch={branch}
      item={adding ? undefined : items[at]}
      id={adding ? undefined : search.item}
      onClose={() => {
        onAdding(false);
        open(undefined);
      }}
      onSaved={(id) => {
        onAdding(false);
        open(id === '' ? undefined : id);
      }}
    />
  );
  if (empty) {
    return (
      <div className="flex min-h-0 flex-1">
        <EmptyState icon={<ListPlus size={24} />} title="No items yet" className="flex-1">
          <p className="mb-4">
            Import a file, write the first item by hand, or open a span of a trace and choose “Add to
            dataset”. An item has an <b>input</b>, often a <b>reference</b> (the right answer), and whatever
            else your metrics look at.
          </p>
          <div className="flex justify-center gap-2">
            <Button look="primary" onClick={onImport}>
              <FileUp size={14} aria-hidden /> Import a file
            </Button>
            <Button onClick={() => onAdding(true)}>Write an item</Button>
          </div>
        </EmptyState>
        {drawer}
      </div>
    );
  }
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <Toolbar version={version} search={search} go={go} input={input} />
        <div ref={scroller} className="min-h-0 flex-1 overflow-auto bg-surface">
          {answer.isPending && <SkeletonRows rows={10} widths={['w-24', 'w-96', 'w-56', 'w-16']} />}
          {answer.isError && items.length === 0 && (
            <ErrorState error={answer.error} retry={() => void answer.refetch()} />
          )}
          {!answer.isPending && !answer.isError && items.length === 0 && !hasNextPage && (
            <EmptyState title="No item fits">
              <Button size="sm" onClick={() => go({ ...search, q: undefined, split: undefined })}>
                Show all
              </Button>
            </EmptyState>
          )}
          {version && items.length > 0 && (
            <div role="table" aria-label="Items" aria-rowcount={version.items} className="min-w-fit">
              <div
                role="row"
                className="sticky top-0 z-10 grid h-9 items-center gap-4 border-b border-line bg-surface px-5 text-xs font-medium text-faint"
                style={{ gridTemplateColumns: template }}
              >
                {['Id', 'Input', 'Output', 'Reference', 'Split'].map((title) => (
                  <span key={title} role="columnheader">
                    {title}
                  </span>
                ))}
              </div>
              <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
                {rows.map((row) => {
                  const item = items[row.index];
                  return (
                    item && (
                      <div
                        key={item.id}
                        className="absolute inset-x-0"
                        style={{ height: rowHeight, transform: `translateY(${row.start}px)` }}
                      >
                        <Row
                          item={item}
                          version={version}
                          selected={item.id === search.item}
                          onOpen={() => open(item.id)}
                        />
                      </div>
                    )
                  );
                })}
              </div>
              {isFetchingNextPage && <SkeletonRows rows={3} widths={['w-24', 'w-96', 'w-56']} />}
            </div>
          )}
        </div>
      </div>
      {drawer}
    </div>
  );
}
