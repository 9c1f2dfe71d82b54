import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { FileUp, X } from 'lucide-react';
import { useRef, useState } from 'react';

import type { ImportedItems } from '@/api/types';
import { createDataset, datasetsQuery, problemOfName } from '@/shared/data/datasets';
import { formatCount } from '@/shared/format/numbers';
import { Button, IconButton } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Failure } from '@/shared/ui/failure';
import { Field } from '@/shared/ui/field';
import { Select } from '@/shared/ui/select';

import { columnsOf, formatOf, guessRenames, renameParam } from '../item';
import { importFile } from '../queries';

const beginBytes = 64 * 1024;

interface Chosen {
  file: File;
  format: 'jsonl' | 'csv';
  columns: string[];
}

async function look(file: File): Promise<Chosen> {
  const begin = await file.slice(0, beginBytes).text();
  const format = formatOf(file.name, begin);
  return { file, format, columns: columnsOf(format, begin) };
}

const sizeOf = (bytes: number): string =>
  bytes < 1_048_576 ? `${Math.ceil(bytes / 1_024)} KB` : `${(bytes / 1_048_576).toFixed(1)} MB`;

const nameOf = (file: File): string =>
  file.name
    .replace(/\.[^.]+$/, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 100);

const meanings = ['id', 'input', 'context', 'output', 'reference', 'tools', 'schema', 'metadata', 'split'];

/** What the fields of the file are called here. */
function Columns({
  columns,
  renames,
  onChange,
}: {
  columns: string[];
  renames: Record<string, string>;
  onChange: (renames: Record<string, string>) => void;
}) {
  return (
    <fieldset className="rounded-lg border border-line">
      <legend className="sr-only">Fields</legend>
      <div className="grid max-h-52 grid-cols-[1fr_auto_1fr] items-center gap-x-3 gap-y-1 overflow-y-auto p-3 text-sm">
        {columns.map((column) => (
          <div key={column} className="contents">
            <span className="truncate font-mono text-xs">{column}</span>
            <span className="text-faint" aria-hidden>
              →
            </span>
            <Select
              label={`What ${column} is called`}
              className="h-7 w-full max-w-none text-xs"
              value={renames[column] ?? ''}
              onChange={(to) => onChange({ ...renames, [column]: to })}
              options={[
                ['', `${column} (as it is)`],
                ...meanings.filter((one) => one !== column).map((one) => [one, one] as const),
              ]}
            />
          </div>
        ))}
      </div>
    </fieldset>
  );
}

function Done({ done, name, onClose }: { done: ImportedItems; name: string; onClose: () => void }) {
  const navigate = useNavigate();
  const { version, items, repeated, changed } = done;
  return (
    <div className="space-y-4">
      <p className="text-sm">
        {changed ? (
          <>
            <b className="num">{formatCount(items)}</b> items read:{' '}
            <b className="num">{formatCount(version.added)}</b> new,{' '}
            <b className="num">{formatCount(version.replaced)}</b> replaced
            {version.removed > 0 && (
              <>
                , <b className="num">{formatCount(version.removed)}</b> removed
              </>
            )}
            .
          </>
        ) : (
          'Everything in the file was there already: nothing has changed.'
        )}
        {repeated > 0 && ` ${formatCount(repeated)} stood there twice.`}
      </p>
      <div className="flex justify-end gap-2">
        <Button
          look="primary"
          autoFocus
          onClick={() => {
            onClose();
            void navigate({ to: '/datasets/$name', params: { name } });
          }}
        >
          Look at it
        </Button>
      </div>
    </div>
  );
}

/** Takes a file into a dataset: a new one, or the one whose page it is. */
export function ImportDialog({
  file,
  into,
  branch = 'main',
  onClose,
}: {
  file?: File;
  into?: string;
  branch?: string;
  onClose: () => void;
}) {
  const [picked, setPicked] = useState(file);
  const [typed, setTyped] = useState(into);
  const [changed, setChanged] = useState<Record<string, string>>();
  const [mode, setMode] = useState<'merge' | 'mirror'>('merge');
  const [split, setSplit] = useState('');
  const [share, setShare] = useState(0);
  const picker = useRef<HTMLInputElement>(null);
  const queryClient = useQueryClient();
  const datasets = useQuery(datasetsQuery);
  const looked = useQuery({
    queryKey: ['file', picked?.name, picked?.size, picked?.lastModified],
    queryFn: () => (picked ? look(picked) : null),
    enabled: picked !== undefined,
    gcTime: 0,
  });
  const chosen = (picked && looked.data) ?? undefined;
  const renames = changed ?? guessRenames(chosen?.columns ?? []);
  const name = typed ?? (picked ? nameOf(picked) : '');
  const exists = datasets.data?.datasets.some((one) => one.name === name) ?? false;
  const choose = (next: File | undefined): void => {
    setPicked(next);
    setChanged(undefined);
  };
  const send = useMutation({
    mutationFn: async ({ file: sent, format }: Chosen) => {
      if (!exists) await createDataset(name);
      const wanted = {
        name,
        format,
        branch,
        mode,
        split,
        rename: renameParam(renames),
        message: `Import ${sent.name}`,
      };
      return importFile(sent, wanted, setShare);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey }),
  });
  const problem = problemOfName(name);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={into ? `Import into ${into}` : 'Import a file'}
      description="A JSON object a line, or columns with a header. All of it makes one version, or none."
    >
      {send.data ? (
        <Done done={send.data} name={name} onClose={onClose} />
      ) : (
        <form
          className="space-y-3"
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen && name !== '' && !problem) send.mutate(chosen);
          }}
        >
          <input
            ref={picker}
            type="file"
            accept=".jsonl,.ndjson,.json,.csv"
            className="sr-only"
            aria-label="File"
            onChange={(event) => {
              const picked = event.target.files?.[0];
              if (picked) choose(picked);
            }}
          />
          {chosen ? (
            <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken px-3 py-2 text-sm">
              <FileUp size={15} className="shrink-0 text-accent" aria-hidden />
              <span className="truncate font-medium">{chosen.file.name}</span>
              <span className="num ml-auto shrink-0 text-xs text-faint">
                {chosen.format === 'csv' ? 'CSV' : 'JSON Lines'} · {sizeOf(chosen.file.size)}
              </span>
              <IconButton label="Choose another file" onClick={() => choose(undefined)}>
                <X size={14} />
              </IconButton>
            </div>
          ) : (
            <button
              type="button"
              onClick={() => picker.current?.click()}
              className="flex w-full flex-col items-center gap-1 rounded-lg border border-dashed border-line-strong px-4 py-8 text-sm text-muted transition-colors hover:border-accent hover:bg-hover hover:text-ink"
            >
              <FileUp size={20} aria-hidden />
              <span className="font-medium">Choose a file, or drop one on the page</span>
              <span className="text-xs text-faint">.jsonl or .csv, a million items at most</span>
            </button>
          )}
          {!into && (
            <Field
              label="Dataset"
              value={name}
              placeholder="e.g. support-gold"
              onChange={(event) => setTyped(event.target.value)}
              error={problem}
              hint={exists ? 'It exists: the items are added to it.' : 'A new one is made.'}
            />
          )}
          {chosen && chosen.columns.length > 0 && (
            <Columns columns={chosen.columns} renames={renames} onChange={setChanged} />
          )}
          {chosen && (
            <div className="flex flex-wrap items-center gap-2 text-sm">
              {exists && (
                <Select
                  label="What becomes of the items that are there"
                  value={mode}
                  onChange={(next) => setMode(next === 'mirror' ? 'mirror' : 'merge')}
                  options={[
                    ['merge', 'Add to what is there'],
                    ['mirror', 'Replace what is there'],
                  ]}
                />
              )}
              <Field
                label="Split of items that don’t name one"
                className="min-w-44 flex-1"
                value={split}
                placeholder="e.g. test; empty for none"
                onChange={(event) => setSplit(event.target.value.trim())}
              />
            </div>
          )}
          <Failure error={send.error ?? looked.error} />
          {send.isPending && (
            <div role="progressbar" aria-label="Sent" aria-valuenow={Math.round(share * 100)}>
              <div className="h-1.5 overflow-hidden rounded-full bg-sunken">
                <div className="h-full bg-accent transition-[width]" style={{ width: `${share * 100}%` }} />
              </div>
              <p className="num mt-1 text-xs text-muted">
                {share < 1 ? `${Math.round(share * 100)} % sent` : 'Checking and storing…'}
              </p>
            </div>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button
              type="submit"
              look="primary"
              disabled={!chosen || name === '' || problem !== undefined || send.isPending}
            >
              Import
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
