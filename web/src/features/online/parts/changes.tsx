import { useQuery } from '@tanstack/react-query';

import { keysQuery } from '@/shared/data/query';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge, type Tone } from '@/shared/ui/badge';
import { Dialog } from '@/shared/ui/dialog';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { changesQuery } from '../queries';

const tones: Partial<Record<string, Tone>> = { create: 'ok', change: 'info', delete: 'error' };

const told = (value: unknown): string => (value === undefined ? '–' : JSON.stringify(value));

/** The fields that differ, as lines. */
function differences(before: unknown, after: unknown): string[] {
  const fields = (value: unknown): Record<string, unknown> =>
    typeof value === 'object' && value !== null ? { ...value } : {};
  const [was, is] = [fields(before), fields(after)];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name) => {
    const [one, other] = [told(was[name]), told(is[name])];
    return one === other ? [] : [`${name}: ${one} → ${other}`];
  });
}

/** Who changed a rule, when, and how. */
export function Changes({ name, onClose }: { name: string; onClose: () => void }) {
  const answer = useQuery(changesQuery(name));
  const keys = useQuery(keysQuery);
  const makers = new Map(keys.data?.keys.map((key) => [key.id, key.name]));
  return (
    <Dialog open onOpenChange={onClose} size="wide" title={`Changes of “${name}”`}>
      {answer.isPending && <Skeleton className="h-32 rounded-md" />}
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      <ol className="flex flex-col gap-3">
        {answer.data?.changes.map((change) => (
          <li key={change.time} className="rounded-md border border-line px-3 py-2">
            <div className="flex items-center gap-2 text-xs">
              <Badge tone={tones[change.action] ?? 'neutral'}>{change.action}</Badge>
              <span className="truncate">{makers.get(change.made_by ?? '') ?? change.made_by}</span>
              <time className="num ml-auto text-faint" title={exactTime(change.time)} dateTime={change.time}>
                {formatAgo(change.time)}
              </time>
            </div>
            {change.action === 'change' && (
              <ul className="mt-1.5 font-mono text-2xs break-words text-muted">
                {differences(change.before, change.after).map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
