import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { ChevronDown, GitBranch, Hash, Tag, X } from 'lucide-react';
import { useState } from 'react';

import type { Dataset } from '@/api/types';
import { datasetsQuery, problemOfName } from '@/shared/data/datasets';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Failure } from '@/shared/ui/failure';
import { inputClass } from '@/shared/ui/field';
import { Popover } from '@/shared/ui/popover';
import type { DatasetSearch } from '@/shared/url/dataset-search';

import { shortId } from '../item';
import { deleteRef, setRef } from '../queries';

/** Which version is looked at: the branches, the tags, and making new ones. */
export function References({ dataset, search }: { dataset: Dataset; search: DatasetSearch }) {
  const version = search.version ?? 'main';
  const [open, setOpen] = useState(false);
  const [label, setLabel] = useState('');
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const { name, branches, tags } = dataset;
  const refresh = () => queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
  const look = (to: string): void => {
    setOpen(false);
    void navigate({
      to: '/datasets/$name',
      params: { name },
      search: { ...search, item: undefined, version: to === 'main' ? undefined : to },
    });
  };
  const make = useMutation({
    mutationFn: (kind: 'branch' | 'tag') => setRef(name, kind, label, version),
    onSuccess: async () => {
      await refresh();
      look(label);
      setLabel('');
    },
  });
  const drop = useMutation({
    mutationFn: ({ kind, of }: { kind: 'branch' | 'tag'; of: string }) => deleteRef(name, kind, of),
    onSuccess: async (_, { of }) => {
      await refresh();
      if (of === version) look('main');
    },
  });
  const isBranch = branches.some((one) => one.name === version);
  const isTag = tags.some((one) => one.name === version);
  const Icon = isBranch ? GitBranch : isTag ? Tag : Hash;
  const known = isBranch || isTag;
  const list = (kind: 'branch' | 'tag', refs: typeof tags) =>
    refs.map((one) => (
      <li key={one.name} className="group flex items-center gap-1">
        <button
          type="button"
          aria-current={one.name === version}
          onClick={() => look(one.name)}
          className={cx(
            'flex h-8 min-w-0 flex-1 items-center gap-2 rounded-md px-2 text-left text-sm hover:bg-hover',
            one.name === version && 'bg-accent-soft text-accent',
          )}
        >
          {kind === 'branch' ? <GitBranch size={13} aria-hidden /> : <Tag size={13} aria-hidden />}
          <span className="truncate">{one.name}</span>
          <span className="ml-auto font-mono text-2xs text-faint">
            {one.version ? shortId(one.version) : 'empty'}
          </span>
        </button>
        {one.name !== 'main' && (
          <IconButton
            label={`Delete the ${kind} ${one.name}`}
            className="opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
            onClick={() => drop.mutate({ kind, of: one.name })}
          >
            <X size={13} />
          </IconButton>
        )}
      </li>
    ));
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      label="Branches and tags"
      className="w-80 p-2"
      trigger={
        <Button size="sm" aria-label={`Version: ${version}`}>
          <Icon size={13} className="text-faint" aria-hidden />
          <span className={cx('max-w-40 truncate', !known && 'font-mono')}>
            {known ? version : shortId(version)}
          </span>
          <ChevronDown size={13} className="text-faint" aria-hidden />
        </Button>
      }
    >
      <div className="eyebrow px-2 py-1">Branches</div>
      <ul>{list('branch', branches)}</ul>
      {tags.length > 0 && <div className="eyebrow mt-1 px-2 py-1">Tags</div>}
      <ul className="max-h-60 overflow-y-auto">{list('tag', tags)}</ul>
      {dataset.latest && (
        <form
          className="mt-2 space-y-2 border-t border-line pt-2"
          onSubmit={(event) => event.preventDefault()}
        >
          <div className="flex gap-1">
            <input
              aria-label="Name of a new branch or tag"
              placeholder={`Name what ${known ? version : shortId(version)} is now`}
              className={inputClass}
              maxLength={100}
              value={label}
              onChange={(event) => setLabel(event.target.value)}
            />
            {(['tag', 'branch'] as const).map((kind) => (
              <Button
                key={kind}
                disabled={label === '' || problemOfName(label) !== undefined || make.isPending}
                onClick={() => make.mutate(kind)}
              >
                {kind === 'tag' ? 'Tag' : 'Branch'}
              </Button>
            ))}
          </div>
          {problemOfName(label) && <p className="px-1 text-xs text-error">{problemOfName(label)}</p>}
          <Failure error={make.error ?? drop.error} />
        </form>
      )}
    </Popover>
  );
}
