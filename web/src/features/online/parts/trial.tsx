import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';

import type { OnlinePreview, OnlineRuleConfig } from '@/api/types';
import { formatCount, trimZeros } from '@/shared/format/numbers';
import { formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Skeleton } from '@/shared/ui/skeleton';

import { previewRule } from '../queries';

/** Typing pauses for so long before the draft is tried. */
const pauseMs = 400;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function Example({ example }: { example: OnlinePreview['examples'][number] }) {
  return (
    <li className="rounded-md border border-line bg-bg px-3 py-2">
      <div className="flex items-center gap-2 text-xs">
        <Link
          to="/traces/$traceId"
          params={{ traceId: example.trace_id }}
          search={{ span: example.span_id }}
          className="truncate font-medium hover:underline"
        >
          {example.name}
        </Link>
        <time className="num ml-auto shrink-0 text-faint" dateTime={example.start_time}>
          {formatAgo(example.start_time)}
        </time>
      </div>
      <dl className="mt-1.5 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-0.5 text-2xs">
        {Object.entries(example.inputs as Record<string, unknown>).map(([input, value]) => (
          <div key={input} className="contents">
            <dt className="font-mono text-faint">{input}</dt>
            <dd className={value === null ? 'text-warn' : 'line-clamp-2 text-muted'}>
              {value === null ? 'nothing' : shown(value)}
            </dd>
          </div>
        ))}
      </dl>
      <ul className="mt-2 flex flex-col gap-1">
        {example.scores.map((score) => (
          <li key={score.name} className="flex items-baseline gap-2 text-xs">
            <span className="shrink-0 font-mono">{score.name}</span>
            {score.value !== undefined && (
              <Badge tone={score.passed === undefined ? 'neutral' : score.passed ? 'ok' : 'error'}>
                <span className="num">{trimZeros(score.value.toFixed(3))}</span>
              </Badge>
            )}
            <span
              className={score.error === undefined ? 'truncate text-2xs text-muted' : 'text-2xs text-warn'}
            >
              {score.error ?? score.reason}
            </span>
          </li>
        ))}
      </ul>
    </li>
  );
}

/** What the rule would do, tried as it is typed. */
export function Trial({ rule, lacking }: { rule: OnlineRuleConfig; lacking: string | undefined }) {
  const trial = useMutation({ mutationFn: previewRule });
  const { mutate } = trial;
  // Its name and whether it is on change nothing here.
  const asked = JSON.stringify({ ...rule, name: 'draft', on: true });
  const idle = lacking !== undefined;
  useEffect(() => {
    if (idle) return;
    const timer = setTimeout(() => mutate(JSON.parse(asked) as OnlineRuleConfig), pauseMs);
    return () => clearTimeout(timer);
  }, [asked, idle, mutate]);
  const preview = trial.data;
  return (
    <section className="flex min-w-0 flex-col gap-2" aria-label="What it would do">
      <h3 className="text-sm font-semibold">What it would do</h3>
      {idle && <p className="text-xs text-muted">{lacking}</p>}
      {!idle && trial.isError && (
        <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-xs break-words text-error">
          {trial.error.message}
        </p>
      )}
      {!idle && trial.isPending && !preview && <Skeleton className="h-40 rounded-md" />}
      {!idle && preview && (
        <>
          <p className="text-sm" role="status">
            <strong className="num font-semibold">{formatCount(preview.matched)}</strong> spans of the last 24
            hours match; it would score about{' '}
            <strong className="num font-semibold">{formatCount(preview.sampled)}</strong> of them.
          </p>
          {preview.examples.length === 0 ? (
            <p className="text-xs text-muted">None to show: send a call, or widen the filter.</p>
          ) : (
            <ul className="flex flex-col gap-2">
              {preview.examples.map((example) => (
                <Example key={example.span_id} example={example} />
              ))}
            </ul>
          )}
        </>
      )}
    </section>
  );
}
