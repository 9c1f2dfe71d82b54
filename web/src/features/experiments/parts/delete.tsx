import { useMutation, useQueryClient } from '@tanstack/react-query';

import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { ErrorState } from '@/shared/ui/states';

/** Asks before something is deleted for good. */
export function Delete({
  title,
  what,
  remove,
  onClose,
  onDone,
}: {
  title: string;
  what: string;
  remove: () => Promise<unknown>;
  onClose: () => void;
  onDone?: () => void;
}) {
  const client = useQueryClient();
  const { mutate, isPending, error, isError } = useMutation({
    mutationFn: remove,
    onSuccess: async () => {
      onClose();
      onDone?.();
      await client.invalidateQueries({ queryKey: ['experiments'] });
    },
  });
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={title} description={what}>
      {isError && <ErrorState error={error} className="mb-3 rounded-md bg-sunken" />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" disabled={isPending} onClick={() => mutate()}>
          Delete
        </Button>
      </div>
    </Dialog>
  );
}
