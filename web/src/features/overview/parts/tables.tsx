import { Link } from '@tanstack/react-router';
import { CircleCheck } from 'lucide-react';

import { numberOf, type Row } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import { formatCost, formatCount, formatDuration, formatShare } from '@/shared/format/numbers';
import { KindIcon } from '@/shared/span/badges';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState } from '@/shared/ui/states';
import { type Chip, chipIs } from '@/shared/url/filters';

import type { Questions } from '../queries';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const head = 'px-3 py-2 text-right font-medium first:pl-4 first:text-left last:pr-4 whitespace-nowrap';
const cell = 'num px-3 py-2 text-right first:pl-4 first:text-left last:pr-4 whitespace-nowrap';

interface ModelsProps {
  rows: Row[] | undefined;
  questions: Questions;
  onOpen: (chips: Chip[]) => void;
}

export function ModelTable({ rows, questions, onOpen }: ModelsProps) {
  const named = (rows ?? []).filter((row) => row.other !== true).map((row) => text(row.model));
  const others: Chip[] = [{ field: 'model', op: 'not_in', value: named.filter(Boolean) }];
  // Without a model is also none of them.
  if (named.includes('')) others.push({ field: 'model', op: 'exists', value: undefined });
  const most = Math.max(1, ...(rows ?? []).map((row) => numberOf(row.requests) ?? 0));
  return (
    <Card
      title="Models"
      aside={<QueryButton title="Models" query={questions.byModel} />}
      className="xl:col-span-3"
    >
      {!rows && <SkeletonRows rows={5} widths={['w-40', 'w-16', 'w-16', 'w-16', 'w-16']} />}
      {rows?.length === 0 && <EmptyState title="No model was called in this range" />}
      {rows && rows.length > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full text-sm">
            <thead className="border-y border-line text-xs text-faint">
              <tr>
                {['Model', 'Requests', 'Errors', 'p50', 'p95', 'TTFT p50', 'Tokens', 'Cost'].map((title) => (
                  <th key={title} scope="col" className={head}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((row) => {
                const other = row.other === true;
                const model = other ? '' : text(row.model);
                const requests = numberOf(row.requests) ?? 0;
                const errors = numberOf(row.errors) ?? 0;
                return (
                  <tr
                    key={`${other} ${model}`}
                    className="relative cursor-pointer transition-colors hover:bg-hover"
                    onClick={() =>
                      onOpen(other ? others : [model ? chipIs('model', model) : chipIs('kind', 'llm')])
                    }
                  >
                    <th scope="row" className={cx(cell, 'max-w-64 font-medium')}>
                      <button type="button" className="max-w-full truncate rounded-sm hover:underline">
                        {other ? 'all others' : model || 'unknown'}
                      </button>
                      <div className="mt-1 h-0.5 w-full max-w-48 rounded-full bg-sunken" aria-hidden>
                        <div
                          className="h-full rounded-full bg-accent/70"
                          style={{ width: `${(requests / most) * 100}%` }}
                        />
                      </div>
                    </th>
                    <td className={cell}>{formatCount(requests)}</td>
                    <td className={cx(cell, errors > 0 && 'text-error')}>
                      {formatCount(errors)}{' '}
                      <span className="inline-block w-10 text-xs">
                        {formatShare(errors / Math.max(1, requests))}
                      </span>
                    </td>
                    <td className={cell}>{formatDuration(numberOf(row.latency_p50))}</td>
                    <td className={cell}>{formatDuration(numberOf(row.latency_p95))}</td>
                    <td className={cell}>{formatDuration(numberOf(row.ttft_p50))}</td>
                    <td className={cell}>{formatCount(numberOf(row.tokens))}</td>
                    <td className={cell}>{formatCost(numberOf(row.cost))}</td>
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

export function RecentErrors({ rows, questions, onOpen }: ModelsProps) {
  return (
    <Card
      title="Recent errors"
      className="xl:col-span-2"
      aside={
        <>
          <button
            type="button"
            className="rounded-sm px-1 text-xs font-medium text-accent hover:underline"
            onClick={() => onOpen([chipIs('status', 'error')])}
          >
            All
          </button>
          <QueryButton title="Recent errors" query={questions.errors} />
        </>
      }
    >
      {!rows && <SkeletonRows rows={5} widths={['w-full']} />}
      {rows?.length === 0 && (
        <EmptyState
          icon={<CircleCheck size={22} className="text-ok" />}
          title="No errors in this range"
          className="flex-1"
        />
      )}
      {rows && rows.length > 0 && (
        <ul className="divide-y divide-line border-t border-line">
          {rows.map((row) => (
            <li key={text(row.trace_id) + text(row.span_id)}>
              <Link
                to="/traces/$traceId"
                params={{ traceId: text(row.trace_id) }}
                search={{ span: text(row.span_id) }}
                className="flex items-center gap-2.5 px-4 py-2 transition-colors hover:bg-hover focus-visible:outline-offset-[-2px]"
              >
                <KindIcon kind={text(row.kind)} />
                <div className="min-w-0 flex-1">
                  <div className="flex items-center gap-2">
                    <span className="truncate text-sm font-medium">{text(row.name)}</span>
                    <Badge tone="error">{text(row.error_type) || 'error'}</Badge>
                  </div>
                  <div className="truncate text-xs text-muted">
                    {text(row.status_message) || 'No message was recorded.'}
                  </div>
                </div>
                <time
                  dateTime={text(row.start_time)}
                  title={exactTime(text(row.start_time))}
                  className="num shrink-0 text-xs text-faint"
                >
                  {formatAgo(text(row.start_time))}
                </time>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
