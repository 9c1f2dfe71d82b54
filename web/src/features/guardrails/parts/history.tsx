import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import type { PolicyVersion } from '@/api/types';
import { keysQuery } from '@/shared/data/query';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { ErrorState } from '@/shared/ui/states';

import { linesOfDraft } from '../draft';
import { versionsQuery } from '../queries';
import { Changes } from './changes';

function Version({
  one,
  before,
  maker,
  isInForce,
  onTake,
}: {
  one: PolicyVersion;
  before: PolicyVersion | undefined;
  maker: string;
  isInForce: boolean;
  onTake: () => void;
}) {
  const [open, setOpen] = useState(isInForce);
  return (
    <li className="py-3">
      <div className="flex items-baseline gap-3 text-sm">
        <span className="num w-8 shrink-0 font-semibold">v{one.version}</span>
        <span className="min-w-0 flex-1">{one.rationale}</span>
        <span className="shrink-0 text-xs text-muted" title={exactTime(one.made_at)}>
          {maker}, {formatAgo(one.made_at)}
        </span>
        <Button size="sm" look="ghost" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? 'Hide' : 'Changes'}
        </Button>
        {!isInForce && (
          <Button size="sm" onClick={onTake} title="Opens the editor with it; nothing changes yet">
            Take again
          </Button>
        )}
      </div>
      {open && (
        <div className="mt-2 ml-11">
          <Changes before={before ? linesOfDraft(before) : []} after={linesOfDraft(one)} />
        </div>
      )}
    </li>
  );
}

/** Every version of the project's policies: who changed what, when and why. */
export function History({
  onClose,
  onTake,
}: {
  onClose: () => void;
  onTake: (version: PolicyVersion) => void;
}) {
  const answer = useQuery(versionsQuery);
  const keys = useQuery(keysQuery);
  const names = new Map(keys.data?.keys.map(({ id, name }) => [id, name]));
  const versions = answer.data?.versions ?? [];
  return (
    <Dialog open onOpenChange={(stays) => !stays && onClose()} size="wide" title="History of the policies">
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {answer.data && versions.length === 0 && (
        <p className="text-sm text-muted">Nobody has changed anything here yet.</p>
      )}
      <ul className="divide-y divide-line">
        {versions.map((one, i) => (
          <Version
            key={one.version}
            one={one}
            before={versions[i + 1]}
            maker={names.get(one.made_by) ?? one.made_by}
            isInForce={i === 0}
            onTake={() => onTake(one)}
          />
        ))}
      </ul>
    </Dialog>
  );
}
