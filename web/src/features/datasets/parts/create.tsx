import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';

import { createDataset, datasetsQuery, problemOfName } from '@/shared/data/datasets';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';

export function CreateDataset({
  open,
  onOpenChange,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const [name, setName] = useState('');
  const [about, setAbout] = useState('');
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: () => createDataset(name, about),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
      close(false);
      await navigate({ to: '/datasets/$name', params: { name } });
    },
  });
  const close = (next: boolean): void => {
    onOpenChange(next);
    if (next) return;
    setName('');
    setAbout('');
    create.reset();
  };
  const problem = problemOfName(name) ?? create.error?.message;
  return (
    <Dialog
      open={open}
      onOpenChange={close}
      title="New dataset"
      description="It begins empty. Items come from a file, from traces, or one by one."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (name !== '' && problemOfName(name) === undefined) create.mutate();
        }}
      >
        <Field
          label="Name"
          autoFocus
          maxLength={100}
          placeholder="e.g. support-gold"
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={problem}
          hint="As suites and experiments call it: support-gold@main"
        />
        <Field
          className="mt-2"
          label="What it is for"
          maxLength={2000}
          placeholder="e.g. Refund questions that must be right"
          value={about}
          onChange={(event) => setAbout(event.target.value)}
        />
        <div className="mt-3 flex justify-end gap-2">
          <Button onClick={() => close(false)}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            disabled={name === '' || problemOfName(name) !== undefined || create.isPending}
          >
            {create.isPending ? 'Making…' : 'Make the dataset'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
