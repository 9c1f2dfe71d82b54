import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';

import type { Answer } from '@/api/types';
import { dash, formatCost, formatDuration } from '@/shared/format/numbers';
import { asText } from '@/shared/format/text';
import { CopyButton } from '@/shared/ui/copy';
import { cx } from '@/shared/ui/cx';
import { EmptyState } from '@/shared/ui/states';

import { toCsv } from '../csv';

const numeric = new Set(['int', 'float', 'money']);
const rowHeight = 32;

function Cell({ name, type, value }: { name: string; type: string; value: unknown }) {
  if (value === null || value === undefined) return <span className="text-faint">{dash}</span>;
  if (name === 'trace_id' && typeof value === 'string') {
    return (
      <Link to="/traces/$traceId" params={{ traceId: value }} className="text-accent hover:underline">
        {value}
      </Link>
    );
  }
  if (type === 'money' && typeof value === 'number')
    return <span title={String(value)}>{formatCost(value)}</span>;
  if (type === 'float' && typeof value === 'number')
    return <span title={String(value)}>{Number(value.toFixed(3))}</span>;
  const text = asText(value);
  return <span title={text}>{text}</span>;
}

/** The answer as a table; only the rows in sight are there. */
export function Result({ answer }: { answer: Answer }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: answer.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const widths = answer.columns.map((column, i) => {
    const longest = Math.max(
      column.name.length,
      ...answer.rows
        .slice(0, 50)
        .map((row) => Math.min(column.type === 'float' ? 12 : 60, asText(row[i]).length)),
    );
    return `minmax(${Math.min(420, 28 + longest * 7.4)}px, 1fr)`;
  });
  const template = { gridTemplateColumns: widths.join(' ') };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-10 shrink-0 items-center gap-3 border-b border-line bg-surface px-5 text-xs text-muted">
        <span className="num">
          {answer.rows.length.toLocaleString('en-US')} {answer.rows.length === 1 ? 'row' : 'rows'} in{' '}
          {formatDuration(answer.elapsed_ms)}
        </span>
        <span className="ml-auto flex gap-1.5">
          <CopyButton text={() => toCsv(answer)}>Copy as CSV</CopyButton>
          <CopyButton
            text={() =>
              JSON.stringify(
                answer.rows.map((row) =>
                  Object.fromEntries(answer.columns.map((column, i) => [column.name, row[i]])),
                ),
                null,
                2,
              )
            }
          >
            Copy as JSON
          </CopyButton>
        </span>
      </div>
      {answer.rows.length === 0 && (
        <EmptyState title="The answer has no rows" className="flex-1 bg-surface" />
      )}
      <div
        ref={scroller}
        className={cx('min-h-0 flex-1 overflow-auto bg-surface', answer.rows.length === 0 && 'hidden')}
      >
        <div
          role="table"
          aria-label="Answer"
          aria-rowcount={answer.rows.length}
          className="min-w-fit font-mono text-xs"
        >
          <div
            role="row"
            className="sticky top-0 z-10 grid h-8 items-center border-b border-line bg-surface px-3"
            style={template}
          >
            {answer.columns.map((column) => (
              <div
                key={column.name}
                role="columnheader"
                title={column.type}
                className={cx(
                  'truncate px-2 font-sans font-medium text-faint',
                  numeric.has(column.type) && 'text-right',
                )}
              >
                {column.name}
              </div>
            ))}
          </div>
          <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
            {virtual.getVirtualItems().map((item) => (
              <div
                key={item.key}
                role="row"
                className="absolute inset-x-0 grid items-center border-b border-line/60 px-3 hover:bg-hover"
                style={{ ...template, height: rowHeight, transform: `translateY(${item.start}px)` }}
              >
                {answer.columns.map((column, i) => (
                  <div
                    key={column.name}
                    role="cell"
                    className={cx('truncate px-2', numeric.has(column.type) && 'num text-right')}
                  >
                    <Cell name={column.name} type={column.type} value={answer.rows[item.index]?.[i]} />
                  </div>
                ))}
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}
