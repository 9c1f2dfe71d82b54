import { useVirtualizer } from '@tanstack/react-virtual';
import { ChevronRight, ChevronsDownUp, ChevronsUpDown, Search, TriangleAlert } from 'lucide-react';
import { type RefObject, useCallback, useEffect, useRef } from 'react';

import { formatCostShort, formatCount, formatDuration, trimZeros } from '@/shared/format/numbers';
import { KindIcon } from '@/shared/span/badges';
import { kindOf } from '@/shared/span/kinds';
import { IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

import { barOf, type Extent, isHit, type Node, scaleMarks } from '../tree';

const rowHeight = 34;
const columnsClass = 'grid grid-cols-[minmax(0,1fr)_minmax(0,0.85fr)] items-center';

interface Props {
  rows: Node[];
  total: number;
  extent: Extent;
  selected: string | undefined;
  collapsed: ReadonlySet<string>;
  onSelect: (spanId: string) => void;
  onToggle: (spanId: string) => void;
  onToggleAll: () => void;
  search: string;
  onSearch: (text: string) => void;
  input: RefObject<HTMLInputElement | null>;
}

function Bar({ node, extent }: { node: Node; extent: Extent }) {
  const { left, width, firstToken } = barOf(node.span, extent);
  const color = node.span.status === 'error' ? 'var(--error)' : kindOf(node.span.kind).color;
  // The label goes where there is room: after the bar, before it, or into it.
  const place = left + width < 78 ? 'after' : left > 22 ? 'before' : 'inside';
  const at = {
    after: { left: `calc(${left + width}% + 2px)` },
    before: { right: `calc(${100 - left}% + 2px)` },
    inside: { right: `${Math.max(0, 100 - left - width)}%` },
  };
  return (
    <div className="relative h-full">
      <div
        className="absolute top-1/2 h-3.5 min-w-[3px] -translate-y-1/2 overflow-hidden rounded-[3px]"
        style={{ left: `${left}%`, width: `${width}%`, backgroundColor: color }}
      >
        {firstToken !== undefined && (
          <div
            className="h-full border-r border-[color-mix(in_oklab,var(--surface)_70%,transparent)] bg-[color-mix(in_oklab,var(--surface)_45%,transparent)]"
            style={{ width: `${firstToken}%` }}
            title={`First token after ${formatDuration(node.span.ttft_ms)}`}
          />
        )}
      </div>
      <span
        className={cx(
          'num absolute top-1/2 -translate-y-1/2 px-1.5 text-2xs whitespace-nowrap',
          place === 'inside' ? 'font-medium text-surface' : 'text-muted',
        )}
        style={at[place]}
      >
        {formatDuration(node.span.duration_ms)}
      </span>
    </div>
  );
}

function Numbers({ node }: { node: Node }) {
  const inner = node.children.length > 0;
  return (
    <span
      className={cx(
        'num ml-auto flex shrink-0 items-center gap-2 pl-2 text-2xs',
        inner ? 'text-faint' : 'text-muted',
      )}
      title={inner ? 'With everything under it' : undefined}
    >
      {node.tokens !== undefined && <span>{formatCount(node.tokens)} tok</span>}
      {node.cost !== undefined && node.cost > 0 && <span>{formatCostShort(node.cost)}</span>}
    </span>
  );
}

function Row({ node, props }: { node: Node; props: Props }) {
  const { span } = node;
  const { selected, collapsed, onSelect, onToggle, extent } = props;
  const open = !collapsed.has(span.span_id);
  const indent = Math.min(node.depth, 24) * 14;
  return (
    <div
      role="treeitem"
      aria-level={node.depth + 1}
      aria-selected={span.span_id === selected}
      aria-expanded={node.children.length > 0 ? open : undefined}
      data-span={span.span_id}
      onClick={() => onSelect(span.span_id)}
      className={cx(
        columnsClass,
        'h-full cursor-pointer pr-3 transition-colors',
        span.span_id === selected
          ? 'bg-accent-soft/70 shadow-[inset_2px_0_0_var(--accent)]'
          : 'hover:bg-hover',
      )}
    >
      <div className="flex h-full min-w-0 items-center gap-1.5 pr-3 pl-2">
        <span
          className="relative flex h-full shrink-0 items-center"
          style={{ width: indent + 18 }}
          aria-hidden
        >
          {Array.from({ length: Math.min(node.depth, 24) }, (_, i) => (
            <span key={i} className="absolute inset-y-0 w-px bg-line" style={{ left: i * 14 + 8 }} />
          ))}
          {node.children.length > 0 && (
            <button
              type="button"
              tabIndex={-1}
              className="absolute right-0 z-10 flex size-[18px] items-center justify-center rounded-sm text-faint hover:bg-line hover:text-ink"
              onClick={(event) => {
                event.stopPropagation();
                onToggle(span.span_id);
              }}
            >
              <ChevronRight size={13} className={cx('transition-transform', open && 'rotate-90')} />
            </button>
          )}
        </span>
        <KindIcon kind={span.kind} size={13} />
        <span
          className={cx('truncate text-sm', span.status === 'error' && 'text-error')}
          title={span.preview ?? span.name}
        >
          {span.name}
        </span>
        {!open && (
          <span className="num shrink-0 rounded-sm bg-sunken px-1 text-2xs text-faint">{node.below}</span>
        )}
        {(span.status === 'error' || (!open && node.errorsBelow > 0)) && (
          <TriangleAlert size={13} className="shrink-0 text-error" aria-label={span.error_type ?? 'failed'} />
        )}
        {span.verdict && span.verdict !== 'allow' && (
          <span className="size-1.5 shrink-0 rounded-full bg-warn" title={`Guardrail: ${span.verdict}`} />
        )}
        <Numbers node={node} />
      </div>
      <Bar node={node} extent={extent} />
    </div>
  );
}

function Scale({ extent }: { extent: Extent }) {
  const total = extent.to - extent.from;
  return (
    <div className="relative h-full">
      {scaleMarks(total, 4).map((mark) => (
        <span
          key={mark}
          className={cx(
            'num absolute top-1/2 -translate-y-1/2 text-2xs whitespace-nowrap text-faint',
            mark > 0 && '-translate-x-1/2',
            mark / total > 0.95 && '-translate-x-full',
          )}
          style={{ left: `${(mark / total) * 100}%` }}
        >
          {mark === 0 ? '0' : trimZeros(formatDuration(mark))}
        </span>
      ))}
    </div>
  );
}

/** The spans as a tree, each with its bar in time. Only the rows in sight are there. */
export function Waterfall(props: Props) {
  const { rows, total, extent, selected, search, onSearch, onSelect, input, onToggleAll, collapsed } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 16,
    getItemKey: useCallback((index: number) => rows[index]?.span.span_id ?? index, [rows]),
  });
  const at = selected === undefined ? -1 : rows.findIndex((node) => node.span.span_id === selected);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' });
    // Only when the selection moves.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected]);
  // The hits begin at the top.
  useEffect(() => {
    if (search !== '') scroller.current?.scrollTo(0, 0);
  }, [search]);
  return (
    <>
      <div className="flex h-11 shrink-0 items-center gap-2 border-b border-line bg-surface px-3">
        <div className="relative min-w-0 flex-1">
          <Search
            size={13}
            className="pointer-events-none absolute top-[8px] left-2 text-faint"
            aria-hidden
          />
          <input
            ref={input}
            aria-label="Search spans"
            placeholder="Search spans"
            value={search}
            onChange={(event) => onSearch(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Escape') onSearch('');
              const first = rows.find((node) => isHit(node, search.trim().toLowerCase()));
              if (event.key !== 'Enter' || !first) return;
              onSelect(first.span.span_id);
              event.currentTarget.blur();
            }}
            className={cx(inputClass, 'h-7 max-w-72 pl-7 text-xs')}
          />
        </div>
        <span className="num shrink-0 text-xs text-faint">
          {rows.length === total ? '' : `${formatCount(rows.length)} of `}
          {formatCount(total)} {total === 1 ? 'span' : 'spans'}
        </span>
        <IconButton label={collapsed.size > 0 ? 'Open all' : 'Close all'} onClick={onToggleAll}>
          {collapsed.size > 0 ? <ChevronsUpDown size={14} /> : <ChevronsDownUp size={14} />}
        </IconButton>
      </div>
      <div className={cx(columnsClass, 'h-7 shrink-0 border-b border-line bg-surface pr-3')}>
        <span className="eyebrow pl-3">Span</span>
        <Scale extent={extent} />
      </div>
      <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto bg-surface">
        <div role="tree" aria-label="Spans" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const node = rows[item.index];
            return (
              node && (
                <div
                  key={item.key}
                  className="absolute inset-x-0"
                  style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}
                >
                  <Row node={node} props={props} />
                </div>
              )
            );
          })}
        </div>
        {rows.length === 0 && (
          <p className="p-8 text-center text-sm text-muted">No span matches “{search}”.</p>
        )}
      </div>
    </>
  );
}
