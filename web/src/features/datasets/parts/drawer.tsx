import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ExternalLink, Pencil, Trash2, X } from 'lucide-react';
import { useState } from 'react';

import type { DatasetItem, DatasetReference, DatasetVersion } from '@/api/types';
import { Messages, Value } from '@/shared/chat/messages';
import { readable } from '@/shared/chat/pair';
import { LongText } from '@/shared/chat/text';
import { commitDataset, datasetsQuery } from '@/shared/data/datasets';
import { Button, IconButton } from '@/shared/ui/button';
import { CopyIcon } from '@/shared/ui/copy';
import { cx } from '@/shared/ui/cx';
import { Failure } from '@/shared/ui/failure';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { type Fields, fieldsOf, known, messagesOf, shortId } from '../item';
import { itemQuery } from '../queries';
import { ItemEditor } from './editor';

const labels: Record<string, string> = {
  input: 'Input',
  context: 'Context',
  output: 'Output',
  reference: 'Reference: the right answer',
};

/** A field as a person reads it: a conversation, text, or JSON. */
function Field({ name, value }: { name: string; value: unknown }) {
  const messages = messagesOf(value);
  const texts = Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
  return (
    <section
      aria-label={name}
      className={cx(
        'rounded-lg border bg-surface',
        name === 'reference' ? 'border-accent/40' : 'border-line',
      )}
    >
      <header className="flex h-8 items-center pr-1 pl-3 text-xs font-semibold text-muted">
        {labels[name] ?? name}
        <CopyIcon text={() => readable(value)} label={`Copy ${name}`} className="ml-auto" />
      </header>
      <div className="space-y-2 px-3 pb-3">
        {messages ? (
          <Messages input={name === 'output' ? [] : messages} output={name === 'output' ? messages : []} />
        ) : typeof value === 'string' ? (
          <LongText text={value} />
        ) : texts ? (
          texts.map((text, i) => (
            <div key={i} className="border-l-2 border-line pl-3">
              <LongText text={text} clamp={600} />
            </div>
          ))
        ) : (
          <Value value={value} />
        )}
      </div>
    </section>
  );
}

function Source({ source }: { source: Fields }) {
  const { trace_id: traceId, span_id: spanId } = source;
  if (typeof traceId !== 'string') return null;
  return (
    <Link
      to="/traces/$traceId"
      params={{ traceId }}
      search={{ span: typeof spanId === 'string' ? spanId : undefined }}
      className="inline-flex items-center gap-1.5 text-xs text-muted hover:text-accent hover:underline"
    >
      <ExternalLink size={12} aria-hidden /> The trace that it was made from
    </Link>
  );
}

function Content({ item }: { item: DatasetItem }) {
  const fields = fieldsOf(item);
  const shown = (known as readonly string[]).filter((name) => name in fields && name !== 'source');
  const others = Object.keys(fields).filter((name) => !known.some((one) => one === name) && name !== 'split');
  const source = fields.source;
  return (
    <div className="space-y-3">
      {[...shown, ...others].map((name) => (
        <Field key={name} name={name} value={fields[name]} />
      ))}
      {typeof source === 'object' && source !== null && <Source source={source as Fields} />}
    </div>
  );
}

/** An item beside the list; editing it makes a version. Without an id, a new one. */
export function ItemDrawer({
  dataset,
  version,
  branch,
  item: listed,
  id,
  onClose,
  onSaved,
}: {
  dataset: string;
  version?: DatasetVersion;
  /** Only what stands on a branch can be changed. */
  branch?: DatasetReference;
  item?: DatasetItem;
  id?: string;
  onClose: () => void;
  onSaved: (id: string) => void;
}) {
  const [editing, setEditing] = useState(id === undefined);
  const [sure, setSure] = useState(false);
  const queryClient = useQueryClient();
  // The list may not have come to it yet: a link leads straight to it.
  const single = useQuery({
    ...itemQuery(dataset, id ?? '', version?.id),
    enabled: id !== undefined && listed === undefined && version !== undefined,
  });
  const item = listed ?? single.data;
  const remove = useMutation({
    mutationFn: () =>
      commitDataset(dataset, {
        branch: branch?.name,
        base: version?.id ?? branch?.version,
        remove: [id ?? ''],
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
      onClose();
    },
  });
  return (
    <aside
      aria-label={id === undefined ? 'New item' : `Item ${id}`}
      className="flex w-[min(640px,50%)] shrink-0 flex-col border-l border-line bg-bg"
    >
      <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-surface pr-2 pl-4">
        <h2 className="truncate text-sm font-semibold">{id ?? 'New item'}</h2>
        {item?.split !== undefined && <span className="text-xs text-muted">{item.split}</span>}
        {item && (
          <span className="hidden font-mono text-2xs text-faint xl:inline" title={`BLAKE3 ${item.hash}`}>
            {shortId(item.hash)}
          </span>
        )}
        <span className="ml-auto flex items-center gap-1">
          {item?.fields !== undefined && branch && !editing && (
            <Button size="sm" onClick={() => setEditing(true)}>
              <Pencil size={13} aria-hidden /> Edit
            </Button>
          )}
          {item && branch && !editing && (
            <IconButton label="Remove the item" onClick={() => setSure(true)}>
              <Trash2 size={14} />
            </IconButton>
          )}
          <IconButton label="Close the item" onClick={onClose}>
            <X size={15} />
          </IconButton>
        </span>
      </header>
      <div className="min-h-0 flex-1 space-y-3 overflow-y-auto p-4">
        {sure && (
          <div
            role="alertdialog"
            aria-label="Remove the item"
            className="rounded-md bg-warn-soft p-3 text-sm"
          >
            <p className="mb-2">It goes from the next version on. Versions before still have it.</p>
            <div className="flex gap-2">
              <Button size="sm" look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
                Remove it
              </Button>
              <Button size="sm" onClick={() => setSure(false)}>
                Keep it
              </Button>
            </div>
          </div>
        )}
        <Failure error={remove.error} />
        {editing ? (
          <ItemEditor
            dataset={dataset}
            branch={branch}
            seen={version?.id}
            item={item}
            onCancel={() => (id === undefined ? onClose() : setEditing(false))}
            onSaved={(saved) => {
              setEditing(false);
              onSaved(saved);
            }}
          />
        ) : item?.fields !== undefined ? (
          <Content item={item} />
        ) : item ? (
          <EmptyState title="What it said was erased">
            It was made from a trace that somebody asked to be forgotten. It stays on the list of this
            version.
          </EmptyState>
        ) : single.isError ? (
          <ErrorState error={single.error} retry={() => void single.refetch()} />
        ) : (
          <>
            <Skeleton className="h-24 w-full rounded-lg" />
            <Skeleton className="h-40 w-full rounded-lg" />
          </>
        )}
      </div>
    </aside>
  );
}
