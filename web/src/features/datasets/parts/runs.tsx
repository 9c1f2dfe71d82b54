import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FlaskConical } from 'lucide-react';

import type { Dataset } from '@/api/types';
import { formatCount, formatScore } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge, type Tone } from '@/shared/ui/badge';
import { CopyIcon } from '@/shared/ui/copy';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import type { DatasetSearch } from '@/shared/url/dataset-search';

import { shortId } from '../item';
import { runsQuery } from '../queries';
import { type DatasetRun, measuredOf } from '../runs';

const cell = 'px-3 py-2.5 text-left align-top first:pl-5 last:pr-5';
const mostMetrics = 4;
const tones: Record<DatasetRun['status'], Tone> = {
  running: 'info',
  finished: 'ok',
  failed: 'error',
  cancelled: 'warn',
};

function Version({
  run,
  dataset,
  go,
}: {
  run: DatasetRun;
  dataset: Dataset;
  go: (next: DatasetSearch) => void;
}) {
  const { dataset_version: version } = run;
  if (version === undefined) return <span className="text-faint">{run.dataset}</span>;
  const names = [...dataset.branches, ...dataset.tags].filter((one) => one.version === version);
  return (
    <span className="flex flex-wrap items-center gap-1.5">
      <button
        type="button"
        onClick={() => go({ version })}
        className="font-mono text-xs hover:text-accent hover:underline"
        title="Show the items of this version"
      >
        {shortId(version)}
      </button>
      {names.map((one) => (
        <Badge key={one.name} tone="info">
          {one.name}
        </Badge>
      ))}
    </span>
  );
}

function Row({ run, dataset, go }: { run: DatasetRun; dataset: Dataset; go: (next: DatasetSearch) => void }) {
  return (
    <tr className="group transition-colors hover:bg-hover">
      <td className={cell}>
        <div className="flex flex-wrap items-center gap-1.5">
          <Link
            to="/experiments/$name"
            params={{ name: run.experiment }}
            className="max-w-80 truncate font-medium group-hover:text-accent hover:underline"
            title={run.target}
          >
            {run.name}
          </Link>
          {run.status !== 'finished' && <Badge tone={tones[run.status]}>{run.status}</Badge>}
        </div>
        <div className="mt-0.5 flex flex-wrap gap-x-2 text-xs text-faint">
          <span>{run.experiment}</span>
          <span title={exactTime(run.started_at)}>{formatAgo(run.started_at)}</span>
        </div>
      </td>
      <td className={cell}>
        <Version run={run} dataset={dataset} go={go} />
      </td>
      <td className={cell}>
        <ul className="flex flex-wrap gap-x-5 gap-y-1.5">
          {measuredOf(run, mostMetrics).map(({ metric, mean, passing }) => (
            <li
              key={metric}
              className="min-w-20"
              title={passing === undefined ? metric : `${metric}: ${Math.round(passing * 1000) / 10}% pass`}
            >
              <div className="max-w-32 truncate text-2xs text-faint">{metric}</div>
              <div className="num font-medium">{formatScore(mean)}</div>
            </li>
          ))}
        </ul>
      </td>
      <td className={`${cell} num text-right`}>
        {formatCount(run.items)}
        {run.failed_items > 0 && (
          <div className="text-2xs text-error" title="With an error, or a score that doesn’t pass">
            {formatCount(run.failed_items)} fail
          </div>
        )}
      </td>
    </tr>
  );
}

/** Runs of experiments that asked these items, the latest first. */
export function Runs({ dataset, go }: { dataset: Dataset; go: (next: DatasetSearch) => void }) {
  const answer = useQuery(runsQuery(dataset.name));
  const runs: DatasetRun[] = answer.data?.runs ?? [];
  const command = `signalbox eval run suite.yaml --push`;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto bg-surface">
      {answer.isPending && <SkeletonRows rows={6} widths={['w-64', 'w-24', 'w-56', 'w-12']} />}
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {answer.data && runs.length === 0 && (
        <EmptyState title="No run has asked these items yet" icon={<FlaskConical size={20} aria-hidden />}>
          Name the dataset in a suite, <code className="font-mono text-xs">dataset: {dataset.name}</code>, and
          send what comes out:
          <span className="mt-2 inline-flex items-center rounded-sm bg-sunken px-2 py-1 font-mono text-xs text-ink">
            {command}
            <CopyIcon text={command} label="Copy the command" className="ml-1 size-5!" />
          </span>
        </EmptyState>
      )}
      {runs.length > 0 && (
        <table className="w-full text-sm">
          <thead className="border-b border-line text-xs text-faint">
            <tr>
              <th scope="col" className={`${cell} font-medium`}>
                Run
              </th>
              <th scope="col" className={`${cell} font-medium`}>
                Version
              </th>
              <th scope="col" className={`${cell} font-medium`}>
                Mean
              </th>
              <th scope="col" className={`${cell} text-right font-medium`}>
                Items
              </th>
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {runs.map((run) => (
              <Row key={run.id} run={run} dataset={dataset} go={go} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
