import { Link } from '@tanstack/react-router';
import { Activity, CircleAlert } from 'lucide-react';

import type { ComparedItem, Run, RunItem, RunScore } from '@/api/types';
import { formatCost, formatDuration, formatScore } from '@/shared/format/numbers';
import { cutAt } from '@/shared/format/pieces';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';

import { diffOf } from '../diff';
import { letterOf, runColors } from '../figures';
import { Delta } from './delta';

/** A text, marked by how it came from another one. */
function Changed({ before, text }: { before: string; text: string }) {
  return diffOf(before, text).map(({ kind, text }, i) =>
    kind === 'both' ? (
      <span key={i}>{text}</span>
    ) : kind === 'new' ? (
      <ins key={i} className="rounded-xs bg-accent-soft text-ok no-underline">
        {text}
      </ins>
    ) : (
      <del key={i} className="rounded-xs bg-error-soft text-error decoration-1">
        {text}
      </del>
    ),
  );
}

/** An output with the places that decided its scores. */
function Judged({ item }: { item: RunItem }) {
  const places = Object.entries(item.scores ?? {}).flatMap(([metric, { evidence = [] }]) =>
    evidence.filter(({ input }) => input === 'output').map((one) => ({ ...one, metric })),
  );
  return cutAt(item.output ?? '', places).map(({ text, over }, i) =>
    over.length === 0 ? (
      <span key={i}>{text}</span>
    ) : (
      <mark
        key={i}
        title={over.map(({ metric, note }) => `${metric}: ${note ?? ''}`).join('\n')}
        className="rounded-xs bg-warn-soft text-ink underline decoration-warn decoration-2 underline-offset-2"
      >
        {text}
      </mark>
    ),
  );
}

function Score({
  name,
  score,
  base,
  lower,
}: {
  name: string;
  score: RunScore;
  base?: RunScore;
  lower: boolean;
}) {
  const { value, passed, label, reason, error } = score;
  const change = value === undefined || base?.value === undefined ? undefined : value - base.value;
  return (
    <li className="py-1.5">
      <div className="flex items-center gap-2 text-xs">
        {passed !== undefined && (
          <span
            className={cx('size-1.5 shrink-0 rounded-full', passed ? 'bg-ok' : 'bg-error')}
            title={passed ? 'passes' : 'fails'}
          />
        )}
        <span className="min-w-0 truncate text-muted" title={name}>
          {name}
        </span>
        <span className="ml-auto flex shrink-0 items-baseline gap-1.5">
          <Delta metric={name} change={change} lower={lower} title="against the baseline" />
          {label !== undefined && <Badge>{label}</Badge>}
          {value !== undefined && <span className="num font-medium">{formatScore(value)}</span>}
          {value === undefined && passed !== undefined && (
            <span className={cx('font-medium', passed ? 'text-ok' : 'text-error')}>
              {passed ? 'passes' : 'fails'}
            </span>
          )}
        </span>
      </div>
      {reason !== undefined && <p className="mt-0.5 line-clamp-3 text-2xs text-faint">{reason}</p>}
      {error !== undefined && <p className="mt-0.5 text-2xs text-error">{error}</p>}
    </li>
  );
}

function Side({
  at,
  run,
  item,
  base,
  marked,
  lowers,
}: {
  at: number;
  run: Run;
  item?: RunItem;
  base?: RunItem;
  marked: boolean;
  lowers: Set<string>;
}) {
  return (
    <article
      className="flex min-w-64 flex-1 flex-col rounded-lg border border-line bg-surface"
      aria-label={run.name}
    >
      <header className="flex h-9 items-center gap-2 border-b border-line px-3 text-xs">
        <span className="size-2 shrink-0 rounded-full" style={{ background: runColors[at] }} aria-hidden />
        <span className="font-medium">{letterOf(at)}</span>
        <span className="min-w-0 truncate text-muted" title={run.name}>
          {run.name}
        </span>
        {item?.trace_id !== undefined && (
          <Link
            to="/traces/$traceId"
            params={{ traceId: item.trace_id }}
            className="ml-auto inline-flex shrink-0 items-center gap-1 font-medium text-accent hover:underline"
          >
            <Activity size={12} aria-hidden /> Trace
          </Link>
        )}
      </header>
      {item === undefined ? (
        <p className="p-3 text-sm text-faint">This run doesn’t have the item.</p>
      ) : (
        <>
          <div className="max-h-96 overflow-y-auto p-3 text-sm leading-6 break-words whitespace-pre-wrap">
            {item.error !== undefined && (
              <p className="flex gap-2 text-error">
                <CircleAlert size={14} className="mt-1 shrink-0" aria-hidden />
                {item.error}
              </p>
            )}
            {item.output !== undefined &&
              (marked && base?.output !== undefined ? (
                <Changed before={base.output} text={item.output} />
              ) : (
                <Judged item={item} />
              ))}
            {item.output === '' && <span className="text-faint">an empty text</span>}
          </div>
          <ul className="mt-auto divide-y divide-line border-t border-line px-3">
            {Object.entries(item.scores ?? {}).map(([name, score]) => (
              <Score
                key={name}
                name={name}
                score={score}
                base={base?.scores?.[name]}
                lower={lowers.has(name)}
              />
            ))}
            <li className="num flex gap-3 py-1.5 text-2xs text-faint">
              <span title="How long the answer took">{formatDuration(item.latency_ms)}</span>
              <span title="What it cost">{formatCost(item.cost)}</span>
              {item.output_tokens !== undefined && <span>{item.output_tokens} tokens out</span>}
            </li>
          </ul>
        </>
      )}
    </article>
  );
}

/** An item in every run, side by side. */
export function ItemView({
  item,
  runs,
  baseline,
  marked,
  lowers,
}: {
  item: ComparedItem;
  runs: Run[];
  baseline: number;
  marked: boolean;
  lowers: Set<string>;
}) {
  const base = item.runs[baseline]?.item;
  const segments = Object.entries(base?.segments ?? {});
  return (
    <div className="min-w-0 space-y-3">
      <div className="rounded-lg border border-line bg-sunken p-3">
        <div className="mb-1 flex flex-wrap items-center gap-2">
          <span className="font-mono text-xs font-medium">{item.item_id}</span>
          {segments.map(([field, value]) => (
            <Badge key={field}>
              {field}: {value}
            </Badge>
          ))}
        </div>
        <p className="max-h-40 overflow-y-auto text-sm break-words whitespace-pre-wrap">{base?.input}</p>
        {base?.expected !== undefined && (
          <div className="mt-2 border-t border-line pt-2">
            <span className="eyebrow">Expected</span>
            <p className="max-h-32 overflow-y-auto text-sm break-words whitespace-pre-wrap">
              {base.expected}
            </p>
          </div>
        )}
      </div>
      <div className="flex items-stretch gap-3 overflow-x-auto">
        {item.runs.map((side, i) => {
          const run = runs[i];
          if (!run) return null;
          const own = i === baseline;
          return (
            <Side
              key={run.id}
              at={i}
              run={run}
              item={side.item}
              base={own ? undefined : base}
              marked={marked && !own}
              lowers={lowers}
            />
          );
        })}
      </div>
    </div>
  );
}
