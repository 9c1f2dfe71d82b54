import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { datasetsQuery } from '@/shared/data/datasets';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Failure } from '@/shared/ui/failure';

import { deleteDataset } from '../queries';

export function DeleteDataset({ name, open, onClose }: { name: string; open: boolean; onClose: () => void }) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteDataset(name),
    onSuccess: async () => {
      onClose();
      await navigate({ to: '/datasets' });
      queryClient.removeQueries({ queryKey: ['datasets', name] });
      await queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
    },
  });
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      title={`Delete “${name}”?`}
      description="All its versions, branches and tags go, and what was measured on them can’t be measured again. It can’t be undone."
    >
      <Failure error={remove.error} />
      <div className="mt-3 flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
          {remove.isPending ? 'Deleting…' : 'Delete the dataset'}
        </Button>
      </div>
    </Dialog>
  );
}
