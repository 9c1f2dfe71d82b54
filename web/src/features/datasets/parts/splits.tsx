import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';

import type { Dataset, DatasetShare } from '@/api/types';
import { commitDataset, datasetsQuery, problemOfName } from '@/shared/data/datasets';
import { Button, IconButton } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Failure } from '@/shared/ui/failure';
import { inputClass } from '@/shared/ui/field';

function Form({ dataset, branch, onClose }: { dataset: Dataset; branch: string; onClose: () => void }) {
  const current = dataset.latest?.shares ?? [];
  const [shares, setShares] = useState<DatasetShare[]>(
    current.length > 0
      ? current
      : [
          { split: 'train', weight: 80 },
          { split: 'test', weight: 20 },
        ],
  );
  const queryClient = useQueryClient();
  const save = useMutation({
    mutationFn: (next: DatasetShare[]) =>
      commitDataset(dataset.name, {
        branch,
        shares: next,
        message: next.length > 0 ? 'Share out splits' : 'No splits',
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: datasetsQuery.queryKey });
      onClose();
    },
  });
  const whole = shares.reduce((sum, share) => sum + share.weight, 0);
  const change = (at: number, more: Partial<DatasetShare>): void =>
    setShares(shares.map((share, i) => (i === at ? { ...share, ...more } : share)));
  const wrong = shares.some(
    ({ split, weight }) => split === '' || problemOfName(split) !== undefined || !(weight > 0),
  );
  return (
    <form
      className="space-y-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) save.mutate(shares);
      }}
    >
      {shares.map((share, i) => (
        <div key={i} className="flex items-center gap-2">
          <input
            aria-label={`Name of split ${i + 1}`}
            className={inputClass}
            value={share.split}
            onChange={(event) => change(i, { split: event.target.value.trim() })}
          />
          <input
            aria-label={`Weight of split ${i + 1}`}
            type="number"
            min={0}
            step="any"
            className={`${inputClass} num w-24!`}
            value={share.weight}
            onChange={(event) => change(i, { weight: Number(event.target.value) })}
          />
          <span className="num w-12 text-right text-xs text-muted">
            {whole > 0 ? `${Math.round((100 * share.weight) / whole)} %` : '–'}
          </span>
          <IconButton
            label={`Remove ${share.split}`}
            onClick={() => setShares(shares.filter((_, at) => at !== i))}
          >
            <X size={14} />
          </IconButton>
        </div>
      ))}
      <Button size="sm" look="ghost" onClick={() => setShares([...shares, { split: '', weight: 10 }])}>
        <Plus size={13} aria-hidden /> Another split
      </Button>
      <Failure error={save.error} />
      <div className="flex justify-end gap-2 pt-1">
        {current.length > 0 && (
          <Button look="ghost" disabled={save.isPending} onClick={() => save.mutate([])}>
            No splits
          </Button>
        )}
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" look="primary" disabled={wrong || shares.length === 0 || save.isPending}>
          Make the version
        </Button>
      </div>
    </form>
  );
}

/** Shares items out over splits. */
export function SplitsDialog({
  dataset,
  branch,
  open,
  onClose,
}: {
  dataset: Dataset;
  branch: string;
  open: boolean;
  onClose: () => void;
}) {
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      title="Splits"
      description="Items that name a split themselves stay in it. All others are shared out by their id, so that an item stays where it is, whatever else comes and goes."
    >
      <Form dataset={dataset} branch={branch} onClose={onClose} />
    </Dialog>
  );
}
