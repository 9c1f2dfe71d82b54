import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { Button } from './button';
import { Dialog } from './dialog';
import { Failure } from './failure';

interface Deleting {
  /** The question, e.g. `Delete the monitor “x”?` */
  title: string;
  /** What becomes of what hangs on it. */
  about: string;
  remove: () => Promise<unknown>;
  /** The queries that have it, by the beginning of their keys. */
  of: string;
  onGone: () => void;
}

/** Deletes what can't be brought back, once somebody has said so twice. */
function DeleteButton({ title, about, remove: mutationFn, of, onGone }: Deleting) {
  const [open, setOpen] = useState(false);
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn,
    onSuccess: async () => {
      onGone();
      await queryClient.invalidateQueries({ queryKey: [of] });
    },
  });
  return (
    <>
      <Button
        look="ghost"
        onClick={() => {
          remove.reset();
          setOpen(true);
        }}
      >
        <Trash2 size={14} aria-hidden /> Delete
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={title} description={about}>
        <div className="space-y-3">
          <Failure error={remove.error} />
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)}>Keep it</Button>
            <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
              {remove.isPending ? 'Deleting…' : 'Delete it'}
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}

/** Changes what a person has made, or deletes it. */
export function ChangeOrDelete({ onEdit, ...deleting }: Deleting & { onEdit: () => void }) {
  return (
    <div className="flex gap-2">
      <Button onClick={onEdit}>
        <Pencil size={14} aria-hidden /> Change
      </Button>
      <DeleteButton {...deleting} />
    </div>
  );
}
