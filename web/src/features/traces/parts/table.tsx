import { useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useCallback, useEffect } from 'react';

import type { TraceSummary } from '@/api/types';
import { cx } from '@/shared/ui/cx';

import { columns, features, specOf } from './columns';
import type { Layout } from './layout';

export const rowHeight = 40;

interface Props {
  traces: TraceSummary[];
  layout: Layout;
  onLayout: (change: (layout: Layout) => Layout) => void;
  /** The row that j and k move. */
  selected: string | undefined;
  onSelect: (traceId: string) => void;
  onOpen: (traceId: string) => void;
  /** Traces that arrived a moment ago. */
  arrived: ReadonlySet<string>;
  onEnd: () => void;
  loadingMore: boolean;
  hasMore: boolean;
  scroller: RefObject<HTMLDivElement | null>;
}

const apply = <T,>(change: T | ((before: T) => T), before: T): T =>
  typeof change === 'function' ? (change as (before: T) => T)(before) : change;

/** The list: only the rows in sight are there. */
export function TracesTable(props: Props) {
  const {
    traces,
    layout,
    onLayout,
    selected,
    onSelect,
    onOpen,
    arrived,
    onEnd,
    loadingMore,
    hasMore,
    scroller,
  } = props;
  const table = useTable({
    features,
    columns,
    data: traces,
    getRowId: (trace: TraceSummary) => trace.trace_id,
    columnResizeMode: 'onChange',
    state: { columnVisibility: layout.visibility, columnSizing: layout.sizing },
    onColumnVisibilityChange: (change) =>
      onLayout((before) => ({ ...before, visibility: apply(change, before.visibility) })),
    onColumnSizingChange: (change) =>
      onLayout((before) => ({ ...before, sizing: apply(change, before.sizing) })),
  });
  const rows = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: useCallback((index: number) => rows[index]?.id ?? index, [rows]),
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && !loadingMore && last >= rows.length - 15) onEnd();
  }, [hasMore, loadingMore, last, rows.length, onEnd]);
  const selectedAt = selected === undefined ? -1 : rows.findIndex((row) => row.id === selected);
  useEffect(() => {
    if (selectedAt >= 0) virtual.scrollToIndex(selectedAt, { align: 'auto' });
    // Only when the selection moves, not when rows arrive above it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected]);

  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const template = headers
    .map((header) => {
      const grows = specOf(header.column.id)?.grow === true && layout.sizing[header.column.id] === undefined;
      return grows ? `minmax(${header.getSize()}px, 1fr)` : `${header.getSize()}px`;
    })
    .join(' ');
  return (
    <div role="table" aria-label="Traces" aria-rowcount={traces.length} className="min-w-fit text-sm">
      <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface">
        <div role="row" className="grid h-9 items-center px-2" style={{ gridTemplateColumns: template }}>
          {headers.map((header) => (
            <div
              key={header.id}
              role="columnheader"
              className={cx(
                'group relative flex h-full items-center px-2 text-xs font-medium text-faint',
                specOf(header.column.id)?.right && 'justify-end',
              )}
            >
              <span className="truncate">
                <table.FlexRender header={header} />
              </span>
              <div
                aria-hidden
                onMouseDown={header.getResizeHandler()}
                onTouchStart={header.getResizeHandler()}
                onDoubleClick={() => header.column.resetSize()}
                className="absolute top-2 right-0 h-5 w-1.5 cursor-col-resize touch-none border-r border-transparent group-hover:border-line-strong hover:border-accent"
              />
            </div>
          ))}
        </div>
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <div
              key={row.id}
              role="row"
              aria-rowindex={item.index + 1}
              aria-selected={row.id === selected}
              data-trace={row.id}
              onClick={() => onSelect(row.id)}
              onDoubleClick={() => onOpen(row.id)}
              className={cx(
                'absolute inset-x-0 grid cursor-pointer items-center border-b border-line/70 px-2 transition-colors',
                row.id === selected
                  ? 'bg-accent-soft/70 shadow-[inset_2px_0_0_var(--accent)]'
                  : 'hover:bg-hover',
                arrived.has(row.id) && 'animate-arrive',
              )}
              style={{
                gridTemplateColumns: template,
                height: rowHeight,
                transform: `translateY(${item.start}px)`,
              }}
            >
              {row.getVisibleCells().map((cell) => (
                <div
                  key={cell.id}
                  role="cell"
                  className={cx(
                    'flex min-w-0 items-center px-2',
                    specOf(cell.column.id)?.right ? 'num justify-end' : '[&>*]:min-w-0',
                  )}
                >
                  <table.FlexRender cell={cell} />
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
