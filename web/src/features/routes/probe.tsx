import { formatDuration } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { cx } from '@/shared/ui/cx';

import { type Probed, probesOf } from './state';

/** What a target and its provider answer when they are asked whether they are well, side by side. */
export function Probes({ target }: { target: Probed }) {
  const probes = probesOf(target);
  if (probes.length === 0) return null;
  return (
    <dl className="mt-1.5 grid w-fit grid-cols-[auto_auto] gap-x-2 gap-y-0.5 text-2xs text-muted">
      {probes.map(({ who, status }) => (
        <div key={who} className="contents">
          <dt className="text-faint">{who}</dt>
          <dd className="flex items-center gap-1.5" title={`Asked ${exactTime(status.time)}`}>
            <span
              className={cx('size-1.5 shrink-0 rounded-full', status.well ? 'bg-ok' : 'bg-error')}
              aria-hidden
            />
            <span className={status.well ? undefined : 'text-error'}>{status.well ? 'well' : 'unwell'}</span>
            <span>
              · asked {formatAgo(status.time)}, {formatDuration(status.took_ms)}
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
