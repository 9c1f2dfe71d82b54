import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { VirtualKey } from '@/api/types';
import { keysQuery } from '@/shared/data/query';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';

import { revokeKey } from '../queries';

export function RevokeKey({ item }: { item: VirtualKey }) {
  const [open, setOpen] = useState(false);
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeKey(item.id),
    onSuccess: async () => {
      setOpen(false);
      await queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
  });
  return (
    <>
      <Button size="sm" look="ghost" onClick={() => setOpen(true)}>
        Revoke
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={`Revoke “${item.name}”?`}
        description={
          <>
            Calls with the key ending in <span className="font-mono">{item.last4}</span> are refused from this
            moment. It can’t be undone. Its traces stay.
          </>
        }
      >
        {item.current && (
          <p className="mb-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
            You are signed in with this very key: you will be signed out.
          </p>
        )}
        {revoke.isError && (
          <p role="alert" className="mb-3 text-sm text-error">
            {revoke.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => setOpen(false)}>Keep it</Button>
          <Button look="danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
            {revoke.isPending ? 'Revoking…' : 'Revoke the key'}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
