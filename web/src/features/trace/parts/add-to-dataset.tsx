import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check } from 'lucide-react';
import { useState } from 'react';

import { ApiError } from '@/api/client';
import { readable } from '@/shared/chat/pair';
import { LongText } from '@/shared/chat/text';
import {
  commitDataset,
  createDataset,
  datasetsQuery,
  itemOfSpan,
  problemOfName,
} from '@/shared/data/datasets';
import { formatCount } from '@/shared/format/numbers';
import { Button, buttonClass } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Failure } from '@/shared/ui/failure';
import { Field } from '@/shared/ui/field';
import { Select } from '@/shared/ui/select';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { TextArea } from '@/shared/ui/text-area';

import { itemWith, lastDataset, rememberDataset, textIn } from '../item';

type Fields = Record<string, unknown>;

function Form({ item, onClose }: { item: Fields; onClose: () => void }) {
  const datasets = useQuery(datasetsQuery);
  const names = datasets.data?.datasets.map((one) => one.name) ?? [];
  const [chosen, setChosen] = useState<string>();
  const [fresh, setFresh] = useState('');
  const [reference, setReference] = useState(() => textIn(item.output));
  const [split, setSplit] = useState('');
  const queryClient = useQueryClient();
  const remembered = lastDataset();
  const into =
    chosen ?? (remembered !== undefined && names.includes(remembered) ? remembered : names[0]) ?? '';
  const isNew = into === '';
  const name = isNew ? fresh : into;
  const save = useMutation({
    mutationFn: async (how: 'add' | 'put') => {
      if (isNew) await createDataset(name);
      const items = [itemWith(item, reference, split) as Record<string, never>];
      const message = `Add ${textIn(item.id)} from a trace`;
      return commitDataset(name, how === 'add' ? { add: items, message } : { put: items, message });
    },
    onSuccess: async () => {
      rememberDataset(name);
      await queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
    },
  });
  if (save.data) {
    return (
      <div className="space-y-4">
        <p className="flex items-center gap-2 text-sm">
          <Check size={16} className="text-ok" aria-hidden />
          It is in <b>{name}</b>, which has {formatCount(save.data.items)}{' '}
          {save.data.items === 1 ? 'item' : 'items'} now.
        </p>
        <div className="flex justify-end gap-2">
          <Link
            to="/datasets/$name"
            params={{ name }}
            search={{ item: textIn(item.id) }}
            className={buttonClass('plain')}
          >
            Open the dataset
          </Link>
          <Button look="primary" autoFocus onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    );
  }
  const taken = save.error instanceof ApiError && save.error.status === 409;
  const wrong = name === '' || (isNew && problemOfName(name) !== undefined);
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) save.mutate('add');
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
      }}
    >
      <div className="flex flex-wrap items-start gap-2">
        <div>
          <span className="mb-1 block text-sm font-medium">Dataset</span>
          <Select
            label="Dataset"
            className="h-9"
            value={into}
            onChange={setChosen}
            options={[...names.map((one) => [one, one] as const), ['', 'A new one…'] as const]}
          />
        </div>
        {isNew && (
          <Field
            label="Its name"
            className="min-w-44 flex-1"
            value={fresh}
            placeholder="e.g. support-gold"
            onChange={(event) => setFresh(event.target.value)}
            error={problemOfName(fresh)}
          />
        )}
        <Field
          label="Split"
          className="w-36"
          value={split}
          placeholder="e.g. test"
          onChange={(event) => setSplit(event.target.value.trim())}
        />
      </div>
      <div>
        <span className="mb-1 block text-sm font-medium">Input</span>
        <div className="max-h-40 overflow-y-auto rounded-md border border-line bg-sunken px-3 py-2 text-sm">
          <LongText text={readable(item.input)} plain clamp={1_200} />
        </div>
      </div>
      <TextArea
        label="Reference: the right answer"
        autoFocus
        value={reference}
        onChange={(event) => setReference(event.target.value)}
        hint="What was answered stands here. Mend it if it was wrong; empty it if there is no right answer."
      />
      <Failure error={save.error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        {taken && (
          <Button disabled={save.isPending} onClick={() => save.mutate('put')}>
            Replace the item
          </Button>
        )}
        <Button type="submit" look="primary" title="Ctrl or ⌘ and Enter" disabled={wrong || save.isPending}>
          {save.isPending ? 'Adding…' : 'Add to dataset'}
        </Button>
      </div>
    </form>
  );
}

/** Makes an item of a dataset from a span. */
export function AddToDataset({
  traceId,
  spanId,
  onClose,
}: {
  traceId: string;
  spanId: string;
  onClose: () => void;
}) {
  const item = useQuery(itemOfSpan(traceId, spanId));
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      size="wide"
      title="Add to dataset"
      description="What was asked becomes an item, with what was retrieved and offered; each result on it leads back to this trace."
    >
      {item.isPending && <Skeleton className="h-56 w-full rounded-lg" />}
      {item.isError && <ErrorState error={item.error} retry={() => void item.refetch()} />}
      {item.data === null && (
        <EmptyState title="This span says nothing">
          It has neither input nor output, or their bodies weren’t kept. Choose a model call, or the root of
          the trace.
        </EmptyState>
      )}
      {item.data && <Form item={item.data} onClose={onClose} />}
    </Dialog>
  );
}
