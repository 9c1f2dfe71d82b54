import type { Provider } from '@/api/types';
import { formatDuration } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';

/** What a provider answers when it is asked whether it is well. */
export function Probe({ probe }: { probe: NonNullable<Provider['health']['probe']> }) {
  return (
    <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
      <Badge tone={probe.well ? 'ok' : 'error'}>{probe.well ? 'well' : 'unwell'}</Badge>
      <span title={exactTime(probe.time)}>
        asked {formatAgo(probe.time)}, {formatDuration(probe.took_ms)}
      </span>
      {probe.failures_in_a_row > 0 && <span className="break-words text-error">{probe.message}</span>}
    </p>
  );
}
