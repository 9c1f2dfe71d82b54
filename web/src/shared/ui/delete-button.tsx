import { Trash2 } from 'lucide-react';
import { useState } from 'react';

import { Button } from './button';
import { Dialog } from './dialog';
import { Failure } from './failure';

/** Deletes what can't be brought back, once somebody has said so twice. */
export function DeleteButton({
  title,
  about,
  remove,
}: {
  /** The question, e.g. `Delete the monitor “x”?` */
  title: string;
  /** What becomes of what hangs on it. */
  about: string;
  remove: { mutate: () => void; reset: () => void; isPending: boolean; error: unknown };
}) {
  const [open, setOpen] = useState(false);
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
