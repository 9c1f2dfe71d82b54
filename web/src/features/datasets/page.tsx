import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { FileUp, Table2 } from 'lucide-react';
import { useState } from 'react';

import type { DatasetSummary } from '@/api/types';
import { datasetsQuery } from '@/shared/data/datasets';
import { formatCount } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { shortId } from './item';
import { CreateDataset } from './parts/create';
import { DropZone } from './parts/drop-zone';
import { ImportDialog } from './parts/import';
import { SplitBar } from './parts/split-bar';

const cell = 'px-4 py-2.5 text-left align-middle';

function Row({ dataset }: { dataset: DatasetSummary }) {
  const { name, description, latest, versions } = dataset;
  const navigate = useNavigate();
  return (
    <tr
      className="cursor-pointer transition-colors hover:bg-hover"
      onClick={() => void navigate({ to: '/datasets/$name', params: { name } })}
    >
      <th scope="row" className={`${cell} max-w-md font-medium`}>
        <Link
          to="/datasets/$name"
          params={{ name }}
          className="hover:text-accent"
          onClick={(event) => event.stopPropagation()}
        >
          {name}
        </Link>
        {description && <p className="truncate text-xs font-normal text-muted">{description}</p>}
      </th>
      <td className={`${cell} num`}>{formatCount(latest?.items ?? 0)}</td>
      <td className={`${cell} w-52`}>
        {latest ? <SplitBar version={latest} /> : <span className="text-faint">–</span>}
      </td>
      <td className={`${cell} num`}>{formatCount(versions)}</td>
      <td className={`${cell} max-w-xs`}>
        {latest ? (
          <span className="flex min-w-0 items-center gap-2">
            <span className="font-mono text-xs text-faint">{shortId(latest.id)}</span>
            <span className="truncate text-muted">{latest.message}</span>
          </span>
        ) : (
          <span className="text-faint">empty</span>
        )}
      </td>
      <td
        className={`${cell} num whitespace-nowrap`}
        title={exactTime(latest?.made_at ?? dataset.created_at)}
      >
        {formatAgo(latest?.made_at ?? dataset.created_at)}
      </td>
    </tr>
  );
}

function Teach({ onFile, onCreate }: { onFile: (file?: File) => void; onCreate: () => void }) {
  const ways: [title: string, text: string][] = [
    ['From a file', 'JSON Lines or CSV: drop it anywhere on this page, or choose one.'],
    ['From traces', 'Open a span, “Add to dataset”, and say what the right answer would have been.'],
    [
      'From a program',
      '`POST /api/v1/datasets/{name}/versions`, or `signalbox dataset push gold gold.jsonl`.',
    ],
  ];
  return (
    <div className="mx-auto max-w-3xl py-10">
      <EmptyState icon={<Table2 size={24} />} title="No datasets yet" className="pb-4">
        A dataset is what answers are evaluated on: questions, right answers, and what they must be true to.
        Each change makes a version that stays as it is, so that two results can be compared.
      </EmptyState>
      <div className="grid gap-3 sm:grid-cols-3">
        {ways.map(([title, text]) => (
          <div key={title} className="rounded-lg border border-line bg-surface p-4">
            <h2 className="text-sm font-semibold">{title}</h2>
            <p className="mt-1 text-sm break-words text-muted">
              <Coded text={text} />
            </p>
          </div>
        ))}
      </div>
      <div className="mt-5 flex justify-center gap-2">
        <Button look="primary" onClick={() => onFile()}>
          <FileUp size={14} aria-hidden /> Import a file
        </Button>
        <Button onClick={onCreate}>Make an empty one</Button>
      </div>
    </div>
  );
}

export function DatasetsPage() {
  const answer = useQuery(datasetsQuery);
  const [creating, setCreating] = useState(false);
  const [importing, setImporting] = useState<{ file?: File }>();
  const datasets = answer.data?.datasets;
  const group = 'Datasets';
  useShortcuts([
    { keys: 'n', label: 'New dataset', group, run: () => setCreating(true) },
    { keys: 'i', label: 'Import a file', group, run: () => setImporting({}) },
  ]);
  return (
    <DropZone onFile={(file) => setImporting({ file })} label="Drop to make a dataset of it">
      <title>Datasets · Signalbox</title>
      <PageHeader title="Datasets">
        <Button onClick={() => setImporting({})}>
          <FileUp size={14} aria-hidden /> Import
        </Button>
        <Button look="primary" onClick={() => setCreating(true)}>
          <Table2 size={14} aria-hidden /> New dataset
        </Button>
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        {datasets?.length === 0 ? (
          <Teach onFile={(file) => setImporting({ file })} onCreate={() => setCreating(true)} />
        ) : (
          <div className="overflow-x-auto rounded-lg border border-line bg-surface">
            {answer.isPending && <SkeletonRows rows={5} widths={['w-48', 'w-16', 'w-32', 'w-24', 'w-40']} />}
            {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
            {datasets && (
              <table className="w-full text-sm">
                <thead className="border-b border-line text-xs text-faint">
                  <tr>
                    {['Name', 'Items', 'Splits', 'Versions', 'Latest', 'Changed'].map((title) => (
                      <th key={title} scope="col" className={`${cell} font-medium`}>
                        {title}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody className="divide-y divide-line">
                  {datasets.map((dataset) => (
                    <Row key={dataset.name} dataset={dataset} />
                  ))}
                </tbody>
              </table>
            )}
          </div>
        )}
      </div>
      <CreateDataset open={creating} onOpenChange={setCreating} />
      {importing && (
        <ImportDialog
          key={importing.file?.name}
          file={importing.file}
          onClose={() => setImporting(undefined)}
        />
      )}
    </DropZone>
  );
}
