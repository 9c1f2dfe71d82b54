import { UserRound, UserRoundX } from 'lucide-react';

import type { OnCall } from '@/api/types';

/** Whom schedules have on call now. */
export function OnCallList({ schedules }: { schedules: OnCall[] }) {
  if (schedules.length === 0)
    return (
      <p className="px-4 pt-1 pb-4 text-sm text-muted">
        There are no schedules. <code className="text-xs">watch.schedules</code> says who is on call when, and
        an escalation’s <code className="text-xs">on_call</code> tells them.
      </p>
    );
  return (
    <ul className="divide-y divide-line border-t border-line">
      {schedules.map(({ schedule, person }) => (
        <li key={schedule} className="flex h-12 items-center gap-3 px-4 text-sm">
          <span className="min-w-0 flex-1 truncate text-muted" title={schedule}>
            {schedule}
          </span>
          {person === undefined ? (
            <span
              className="flex items-center gap-1.5 text-warn"
              title="Steps of escalations that tell this schedule reach nobody now"
            >
              <UserRoundX size={14} aria-hidden /> nobody
            </span>
          ) : (
            <span className="flex min-w-0 items-center gap-1.5 font-medium">
              <UserRound size={14} className="shrink-0 text-accent" aria-hidden />
              <span className="truncate">{person}</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
