import type { Run } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';
import { Badge, type Tone } from '@/shared/ui/badge';

const tones: Record<Run['status'], Tone> = {
  running: 'info',
  finished: 'ok',
  failed: 'error',
  cancelled: 'warn',
};

/** How a run stands; one that finished says nothing. */
export function Status({ run }: { run: Run }) {
  if (run.status === 'finished') return null;
  return (
    <Badge tone={tones[run.status]} title={run.problem}>
      {run.status === 'running' && (
        <span className="size-1.5 animate-pulse rounded-full bg-info" aria-hidden />
      )}
      {run.status === 'running' ? `running, ${formatCount(run.items)} items` : run.status}
    </Badge>
  );
}
