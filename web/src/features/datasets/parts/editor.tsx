import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { DatasetItem, DatasetReference } from '@/api/types';
import { commitDataset, datasetsQuery } from '@/shared/data/datasets';
import { Button } from '@/shared/ui/button';
import { Failure } from '@/shared/ui/failure';
import { Field } from '@/shared/ui/field';
import { TextArea } from '@/shared/ui/text-area';

import { draftOf, type Fields, fieldsOf, valueOf } from '../item';

const always = ['input', 'reference', 'output', 'context'];
const titles: Record<string, string> = {
  input: 'Input',
  reference: 'Reference: the right answer',
  output: 'Output',
  context: 'Context: what the answer must be true to',
};

/** Every field as text or JSON; saving makes the branch's next version. */
export function ItemEditor({
  dataset,
  branch,
  seen,
  item,
  onCancel,
  onSaved,
}: {
  dataset: string;
  branch?: DatasetReference;
  /** The version that is looked at. */
  seen?: string;
  item?: DatasetItem;
  onCancel: () => void;
  onSaved: (id: string) => void;
}) {
  const before: Fields = item ? fieldsOf(item) : {};
  const names = [
    ...always,
    ...Object.keys(before).filter((name) => !always.includes(name) && name !== 'split' && name !== 'source'),
  ];
  const [drafts, setDrafts] = useState<Record<string, string>>(() =>
    Object.fromEntries(names.map((name) => [name, draftOf(before[name])])),
  );
  // What is edited is of this version, even if the page has a newer one by the time that it is saved.
  const [base] = useState(seen ?? branch?.version ?? '');
  const [id, setId] = useState('');
  const [split, setSplit] = useState(draftOf(before.split));
  const [message, setMessage] = useState('');
  const queryClient = useQueryClient();
  const values = names.map((name) => ({ name, ...valueOf(drafts[name] ?? '', before[name]) }));
  const said = values.filter((one) => one.value !== undefined);
  const save = useMutation({
    mutationFn: () => {
      const fields: Fields = Object.fromEntries(said.map(({ name, value }) => [name, value]));
      if (split !== '') fields.split = split;
      if (before.source !== undefined) fields.source = before.source;
      const name = item?.id ?? id.trim();
      if (name !== '') fields.id = name;
      const body = { branch: branch?.name, base, message };
      const items = [fields as Record<string, never>];
      return commitDataset(dataset, item ? { ...body, replace: items } : { ...body, add: items });
    },
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
      onSaved(item?.id ?? id.trim());
    },
  });
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
      }}
    >
      {!item && (
        <Field
          label="Id"
          value={id}
          maxLength={200}
          placeholder="e.g. refund-17"
          onChange={(event) => setId(event.target.value)}
          hint="How results name it. Made from the content if empty."
        />
      )}
      {values.map(({ name, problem }) => (
        <TextArea
          key={name}
          label={titles[name] ?? name}
          autoFocus={name === (item ? 'reference' : 'input')}
          spellCheck={typeof before[name] === 'string' || before[name] === undefined}
          className={typeof before[name] === 'object' ? 'font-mono text-xs' : undefined}
          value={drafts[name]}
          error={problem}
          onChange={(event) => setDrafts({ ...drafts, [name]: event.target.value })}
        />
      ))}
      <Field
        label="Split"
        value={split}
        placeholder="e.g. test; empty to share it out"
        onChange={(event) => setSplit(event.target.value.trim())}
      />
      <Field
        label="What is changed, and why"
        value={message}
        maxLength={2000}
        placeholder={item ? `Change ${item.id}` : 'Add an item'}
        onChange={(event) => setMessage(event.target.value)}
      />
      <Failure error={save.error} />
      <div className="sticky bottom-0 -mx-4 -mb-4 flex justify-end gap-2 border-t border-line bg-bg px-4 py-3">
        <Button onClick={onCancel}>Cancel</Button>
        <Button
          type="submit"
          look="primary"
          title="Ctrl or ⌘ and Enter"
          disabled={said.length === 0 || values.some((one) => one.problem !== undefined) || save.isPending}
        >
          {save.isPending ? 'Saving…' : 'Save as a new version'}
        </Button>
      </div>
    </form>
  );
}
