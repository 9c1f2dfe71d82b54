import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';

import type { Query } from '@/api/types';
import { Sparkline } from '@/shared/chart/sparkline';
import type { Values } from '@/shared/chart/stack';
import { numberOf, type Row } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import {
  changeOf,
  formatChange,
  formatCost,
  formatCount,
  formatDuration,
  formatShare,
  type Maybe,
} from '@/shared/format/numbers';
import { cx } from '@/shared/ui/cx';
import { Skeleton } from '@/shared/ui/skeleton';
import type { Chip } from '@/shared/url/filters';

import type { Timeline } from '../series';

/** Seven tiles in a row where there is room, or four and three with the first one wide. */
const gridClass =
  'grid grid-cols-2 gap-3 md:grid-cols-4 md:[&>:first-child]:col-span-2 min-[90rem]:grid-cols-7 min-[90rem]:[&>:first-child]:col-span-1';

/** Whether more is better, worse, or neither. */
type Sense = 'good' | 'bad' | 'neutral';

function Change({ now, before, sense }: { now: Maybe; before: Maybe; sense: Sense }) {
  const change = changeOf(now, before);
  if (change === undefined || Math.abs(change) < 0.005) return null;
  const up = change > 0;
  const tone = sense === 'neutral' ? 'text-muted' : up === (sense === 'good') ? 'text-ok' : 'text-error';
  const Arrow = up ? ArrowUp : ArrowDown;
  return (
    <span
      className={cx('num inline-flex items-center text-xs font-medium', tone)}
      title="Compared with the period of the same length before"
    >
      <Arrow size={12} aria-label={up ? 'up' : 'down'} />
      {formatChange(change)}
    </span>
  );
}

interface TileProps {
  title: string;
  query: Query;
  value: string;
  change?: ReactNode;
  rest?: [string, string][];
  spark: Values;
  color?: string;
  onOpen: () => void;
}

function Tile({ title, query, value, change, rest = [], spark, color, onOpen }: TileProps) {
  return (
    <div className="group relative min-w-0 overflow-hidden rounded-lg border border-line bg-surface transition-colors hover:border-line-strong">
      <button
        type="button"
        onClick={onOpen}
        className="block w-full rounded-lg px-3.5 pt-3 text-left focus-visible:outline-offset-[-2px]"
      >
        <div className="text-xs font-medium text-muted">{title}</div>
        <div className="mt-1 flex items-baseline gap-2 whitespace-nowrap">
          <span className="num text-2xl font-semibold tracking-tight">{value}</span>
          {change}
        </div>
        <div className="num mt-0.5 flex h-[1.125rem] flex-wrap gap-x-2 overflow-hidden text-xs tracking-tight whitespace-nowrap text-muted">
          {/* What has no room on the line is left out, not cut. */}
          {rest.map(([label, text]) => (
            <span key={label}>
              <span className="text-faint">{label}</span> {text}
            </span>
          ))}
        </div>
      </button>
      <div className="pointer-events-none mt-1">
        <Sparkline values={spark} color={color} />
      </div>
      <QueryButton
        title={title}
        query={query}
        className="absolute top-1.5 right-1.5 opacity-0 transition-opacity group-hover:opacity-100 focus-visible:opacity-100"
      />
    </div>
  );
}

interface Props {
  now: Row | undefined;
  before: Row | undefined;
  timeline: Timeline;
  query: Query;
  onOpen: (chips: Chip[]) => void;
}

/** The numbers of the range, each beside the range before. */
export function Tiles({ now, before, timeline, query, onOpen }: Props) {
  if (!now) {
    return (
      <div className={gridClass}>
        {Array.from({ length: 7 }, (_, i) => (
          <Skeleton key={i} className="h-[124px] rounded-lg" />
        ))}
      </div>
    );
  }
  const get = (name: string): number | undefined => numberOf(now[name]);
  const old = (name: string): number | undefined => (before ? numberOf(before[name]) : undefined);
  const sum = (row: Row | undefined, names: string[]): number =>
    names.reduce((total, name) => total + (numberOf(row?.[name]) ?? 0), 0);
  const rate = (row: Row | undefined): number | undefined => {
    const requests = numberOf(row?.requests) ?? 0;
    return requests > 0 ? (numberOf(row?.errors) ?? 0) / requests : undefined;
  };
  const verdicts = ['flagged', 'redacted', 'blocked'];
  const tokens = ['input_tokens', 'output_tokens'];
  const change = (name: string, sense: Sense): ReactNode => (
    <Change now={get(name)} before={old(name)} sense={sense} />
  );
  const none: Chip[] = [];
  const tiles: Omit<TileProps, 'query'>[] = [
    {
      title: 'Requests',
      value: formatCount(get('requests')),
      change: change('requests', 'neutral'),
      rest: [['failed', formatCount(get('errors'))]],
      spark: timeline.column('requests', 0),
      onOpen: () => onOpen(none),
    },
    {
      title: 'Error rate',
      value: formatShare(rate(now)),
      change: <Change now={rate(now)} before={rate(before)} sense="bad" />,
      rest: [['before', formatShare(rate(before))]],
      spark: timeline.column((row) => rate(row) ?? null, null),
      color: 'var(--series-error)',
      onOpen: () => onOpen([{ field: 'status', op: '=', value: 'error' }]),
    },
    {
      title: 'Latency p95',
      value: formatDuration(get('latency_p95')),
      change: change('latency_p95', 'bad'),
      rest: [
        ['p50', formatDuration(get('latency_p50'))],
        ['p99', formatDuration(get('latency_p99'))],
      ],
      spark: timeline.column('latency_p95', null),
      color: 'var(--series-2)',
      onOpen: () => onOpen([{ field: 'duration_ms', op: '>=', value: Math.floor(get('latency_p95') ?? 0) }]),
    },
    {
      title: 'First token p95',
      value: formatDuration(get('ttft_p95')),
      change: change('ttft_p95', 'bad'),
      rest: [['p50', formatDuration(get('ttft_p50'))]],
      spark: timeline.column('ttft_p95', null),
      color: 'var(--series-6)',
      onOpen: () => onOpen([{ field: 'ttft_ms', op: '>=', value: Math.floor(get('ttft_p95') ?? 0) }]),
    },
    {
      title: 'Tokens',
      value: formatCount(sum(now, tokens)),
      change: <Change now={sum(now, tokens)} before={sum(before, tokens)} sense="neutral" />,
      rest: [
        ['in', formatCount(get('input_tokens'))],
        ['out', formatCount(get('output_tokens'))],
      ],
      spark: timeline.column((row) => sum(row, tokens), 0),
      color: 'var(--series-3)',
      onOpen: () => onOpen(none),
    },
    {
      title: 'Cost',
      value: formatCost(get('cost')),
      change: change('cost', 'neutral'),
      rest: [
        [
          'per 1k requests',
          formatCost(
            get('cost') === undefined || !get('requests')
              ? undefined
              : ((get('cost') ?? 0) / (get('requests') ?? 1)) * 1_000,
          ),
        ],
      ],
      spark: timeline.column('cost', 0),
      color: 'var(--series-4)',
      onOpen: () => onOpen([{ field: 'cost', op: '>', value: 0 }]),
    },
    {
      title: 'Guardrail verdicts',
      value: formatCount(sum(now, verdicts)),
      change: <Change now={sum(now, verdicts)} before={sum(before, verdicts)} sense="bad" />,
      rest: [
        ['block', formatCount(get('blocked'))],
        ['redact', formatCount(get('redacted'))],
      ],
      spark: timeline.column((row) => sum(row, verdicts), 0),
      color: 'var(--series-5)',
      onOpen: () => onOpen([{ field: 'verdict', op: 'in', value: ['flag', 'redact', 'block'] }]),
    },
  ];
  return (
    <div className={gridClass}>
      {tiles.map((tile) => (
        <Tile key={tile.title} {...tile} query={query} />
      ))}
    </div>
  );
}
