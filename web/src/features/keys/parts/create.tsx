import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { useState } from 'react';

import { keysQuery } from '@/shared/data/query';
import { Button } from '@/shared/ui/button';
import { CodeBlock } from '@/shared/ui/copy';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';

import { createKey } from '../queries';

/** Makes a key, and shows it the one time it can be seen. */
export function CreateKey() {
  const [open, setOpen] = useState(false);
  const [name, setName] = useState('');
  const queryClient = useQueryClient();
  const create = useMutation({
    mutationFn: createKey,
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  const close = (next: boolean): void => {
    setOpen(next);
    if (!next) {
      setName('');
      create.reset();
    }
  };
  return (
    <>
      <Button look="primary" onClick={() => setOpen(true)}>
        <KeyRound size={14} aria-hidden /> New key
      </Button>
      <Dialog
        open={open}
        onOpenChange={close}
        title={create.data ? 'Copy the key now' : 'New key'}
        description={
          create.data
            ? 'It is shown this once. Only its hash is kept.'
            : 'One key for each app or person, so that each can be revoked alone.'
        }
      >
        {create.data ? (
          <div className="space-y-4">
            <CodeBlock label={create.data.name} code={create.data.key} />
            <Button look="primary" className="w-full" onClick={() => close(false)}>
              I have copied it
            </Button>
          </div>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (name.trim() !== '') create.mutate(name.trim());
            }}
          >
            <Field
              label="Name"
              autoFocus
              maxLength={100}
              placeholder="e.g. support-bot, production"
              value={name}
              onChange={(event) => setName(event.target.value)}
              error={create.error?.message}
              hint="Shown in traces and in this list."
            />
            <div className="mt-3 flex justify-end gap-2">
              <Button onClick={() => close(false)}>Cancel</Button>
              <Button type="submit" look="primary" disabled={name.trim() === '' || create.isPending}>
                {create.isPending ? 'Making…' : 'Make the key'}
              </Button>
            </div>
          </form>
        )}
      </Dialog>
    </>
  );
}
