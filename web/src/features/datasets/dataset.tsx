import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { ChevronRight, Download, FileUp, MoreHorizontal, Plus, Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';

import { ApiError } from '@/api/client';
import type { Dataset } from '@/api/types';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Button, buttonClass, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Menu, MenuItem, MenuLabel, MenuLine } from '@/shared/ui/menu';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import type { DatasetSearch, DatasetView } from '@/shared/url/dataset-search';

import { DeleteDataset } from './parts/delete';
import { DiffView } from './parts/diff';
import { DropZone } from './parts/drop-zone';
import { ImportDialog } from './parts/import';
import { Items } from './parts/items';
import { References } from './parts/references';
import { Runs } from './parts/runs';
import { SplitsDialog } from './parts/splits';
import { Versions } from './parts/versions';
import { datasetQuery, exportPath } from './queries';

const route = getRouteApi('/house/datasets/$name');

const tabs: [DatasetView, string][] = [
  ['items', 'Items'],
  ['versions', 'Versions'],
  ['diff', 'Compare'],
  ['runs', 'Runs'],
];

function Header({
  dataset,
  search,
  onImport,
  onNew,
}: {
  dataset: Dataset;
  search: DatasetSearch;
  onImport: () => void;
  onNew: () => void;
}) {
  const [popup, setPopup] = useState<'splits' | 'delete'>();
  const { name } = dataset;
  const version = search.version ?? 'main';
  const branch = dataset.branches.some((one) => one.name === version);
  return (
    <header className="shrink-0 border-b border-line bg-surface px-5 pt-2.5">
      <div className="flex min-h-9 flex-wrap items-center gap-2">
        <h1 className="flex min-w-0 items-center gap-1 text-lg font-semibold tracking-tight">
          <Link to="/datasets" className="text-muted hover:text-ink">
            Datasets
          </Link>
          <ChevronRight size={15} className="text-faint" aria-hidden />
          <span className="truncate">{name}</span>
        </h1>
        <References dataset={dataset} search={search} />
        <span className="ml-auto flex items-center gap-2">
          {branch && (
            <>
              <Button onClick={onImport}>
                <FileUp size={14} aria-hidden /> Import
              </Button>
              <Button look="primary" onClick={onNew}>
                <Plus size={14} aria-hidden /> Add an item
              </Button>
            </>
          )}
          <Menu
            trigger={
              <IconButton label="More">
                <MoreHorizontal size={16} />
              </IconButton>
            }
          >
            <MenuLabel>Export {version}</MenuLabel>
            {(['jsonl', 'csv'] as const).map((format) => (
              <MenuItem
                key={format}
                icon={<Download size={14} />}
                onSelect={() => window.location.assign(exportPath(name, version, format, search.split))}
              >
                {format === 'csv' ? 'CSV' : 'JSON Lines'}
                {search.split && ` (${search.split})`}
              </MenuItem>
            ))}
            <MenuLine />
            {dataset.latest && branch && <MenuItem onSelect={() => setPopup('splits')}>Splits…</MenuItem>}
            <MenuItem icon={<Trash2 size={14} />} onSelect={() => setPopup('delete')}>
              Delete…
            </MenuItem>
          </Menu>
        </span>
      </div>
      {dataset.description && <p className="max-w-3xl truncate text-sm text-muted">{dataset.description}</p>}
      <nav aria-label="Views" className="mt-1.5 flex gap-4">
        {tabs.map(([id, label]) => {
          const active = (search.view ?? 'items') === id;
          return (
            <Link
              key={id}
              to="/datasets/$name"
              params={{ name }}
              search={{ ...search, item: undefined, view: id === 'items' ? undefined : id }}
              aria-current={active ? 'page' : undefined}
              className={cx(
                '-mb-px flex h-9 items-center border-b-2 text-sm font-medium transition-colors',
                active ? 'border-accent text-ink' : 'border-transparent text-muted hover:text-ink',
              )}
            >
              {label}
            </Link>
          );
        })}
      </nav>
      <SplitsDialog
        dataset={dataset}
        branch={version}
        open={popup === 'splits'}
        onClose={() => setPopup(undefined)}
      />
      <DeleteDataset name={name} open={popup === 'delete'} onClose={() => setPopup(undefined)} />
    </header>
  );
}

function View({ dataset }: { dataset: Dataset }) {
  const search = route.useSearch();
  const navigate = useNavigate();
  const [importing, setImporting] = useState<{ file?: File }>();
  const [adding, setAdding] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { name } = dataset;
  const view = search.view ?? 'items';
  const go = (next: DatasetSearch): void =>
    void navigate({ to: '/datasets/$name', params: { name }, search: next, replace: true });
  const group = 'Dataset';
  useShortcuts([
    { keys: 'i', label: 'Import a file', group, run: () => setImporting({}) },
    { keys: 'n', label: 'Add an item', group, run: () => setAdding(true) },
    { keys: '/', label: 'Search items', group, run: () => input.current?.focus() },
    ...tabs.map(([id, label], i) => ({
      keys: String(i + 1),
      label: `Show ${label.toLowerCase()}`,
      group,
      run: () => go({ ...search, item: undefined, view: id === 'items' ? undefined : id }),
    })),
  ]);
  const version = search.version ?? 'main';
  const empty = dataset.branches.some((one) => one.name === version && one.version === undefined);
  return (
    <DropZone onFile={(file) => setImporting({ file })} label={`Drop to import into ${name}`}>
      <Header
        dataset={dataset}
        search={search}
        onImport={() => setImporting({})}
        onNew={() => setAdding(true)}
      />
      {view === 'items' && (
        <Items
          dataset={dataset}
          search={search}
          empty={empty}
          go={go}
          input={input}
          adding={adding}
          onAdding={setAdding}
          onImport={() => setImporting({})}
        />
      )}
      {view === 'versions' && <Versions dataset={dataset} go={go} />}
      {view === 'runs' && <Runs dataset={dataset} go={go} />}
      {view === 'diff' && <DiffView dataset={dataset} search={search} go={go} />}
      {importing && (
        <ImportDialog
          key={importing.file?.name}
          file={importing.file}
          into={name}
          branch={dataset.branches.some((one) => one.name === version) ? version : 'main'}
          onClose={() => setImporting(undefined)}
        />
      )}
    </DropZone>
  );
}

export function DatasetPage() {
  const { name } = route.useParams();
  const answer = useQuery(datasetQuery(name));
  const missing = answer.error instanceof ApiError && answer.error.status === 404;
  return (
    <>
      <title>{`${name} · Datasets · Signalbox`}</title>
      {answer.isPending && <SkeletonRows rows={8} widths={['w-40', 'w-72', 'w-56', 'w-20']} />}
      {missing && (
        <EmptyState title={`There is no dataset “${name}”`} className="h-full">
          <Link to="/datasets" className={cx(buttonClass(), 'mt-2')}>
            All datasets
          </Link>
        </EmptyState>
      )}
      {answer.isError && !missing && !answer.data && (
        <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
      )}
      {answer.data && <View key={name} dataset={answer.data} />}
    </>
  );
}
