import { Link } from '@tanstack/react-router';

import type { Provider } from '@/api/types';
import { formatCount, formatDuration, formatShare } from '@/shared/format/numbers';
import { Badge, type Tone } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';

import { liveOf, type RoutedState } from './state';

const tones: Record<RoutedState['kind'], Tone> = { up: 'ok', trying: 'warn', left: 'error' };

function Figure({
  label,
  title,
  bad,
  value,
}: {
  label: string;
  title: string;
  bad?: boolean;
  value: string;
}) {
  return (
    <div title={title}>
      <dt className="text-2xs text-faint">{label}</dt>
      <dd className={cx('num text-sm', bad && 'text-error')}>{value}</dd>
    </div>
  );
}

/** How a provider is doing just now, and what the routes that go there make of it. */
export function Live({ provider }: { provider: Provider }) {
  const { recent, in_flight: inFlight } = provider.health;
  const routed = liveOf(provider);
  if (!recent && inFlight === 0 && routed.length === 0) return null;
  return (
    <>
      <dl className="grid grid-cols-4 gap-2 rounded-md bg-sunken px-3 py-2">
        <Figure label="In flight" title="Calls that it is answering" value={formatCount(inFlight)} />
        <Figure
          label="Failing"
          title={`Of its ${formatCount(recent?.calls ?? 0)} latest calls, five minutes old at most`}
          bad={(recent?.failure_rate ?? 0) >= 0.01}
          value={formatShare(recent?.failure_rate)}
        />
        <Figure
          label="p50"
          title="Until the answer begins, half of the calls"
          value={formatDuration(recent?.p50_ms)}
        />
        <Figure
          label="p95"
          title="Until the answer begins, 95 of 100 calls"
          value={formatDuration(recent?.p95_ms)}
        />
      </dl>
      {routed.length > 0 && (
        <ul className="flex flex-wrap gap-1.5" aria-label="Routes that go there">
          {routed.map((one) => (
            <li key={`${one.route} ${one.model}`}>
              <Link to="/routes">
                <Badge tone={tones[one.kind]} title={one.why}>
                  {one.route}: {one.label}
                </Badge>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
