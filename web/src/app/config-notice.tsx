import { useQuery } from '@tanstack/react-query';
import { CircleAlert, RotateCw } from 'lucide-react';

import { configQuery } from '@/shared/data/query';
import { exactTime, formatTime } from '@/shared/time/format';

/** What the configuration file says and is not in force; nothing if all of it is. */
export function ConfigNotice() {
  // Without an answer there is nothing to tell: the page below says what is wrong.
  const config = useQuery(configQuery).data;
  const file = config?.file ?? 'The configuration file';
  if (config?.refused) {
    const { time, problems } = config.refused;
    return (
      <details role="status" className="group border-b border-line bg-error-soft text-sm text-error">
        <summary className="flex cursor-pointer items-center gap-2 px-5 py-2">
          <CircleAlert size={14} className="shrink-0" aria-hidden />
          <span className="min-w-0">
            <span className="font-mono text-xs">{file}</span> was refused at{' '}
            <time dateTime={time} title={exactTime(time)}>
              {formatTime(time)}
            </time>
            : {problems.length === 1 ? 'a problem' : `${problems.length} problems`}. The configuration of{' '}
            <time dateTime={config.since} title={exactTime(config.since)}>
              {formatTime(config.since)}
            </time>{' '}
            stays in force.
          </span>
          <span className="ml-auto text-xs underline group-open:hidden">Show</span>
        </summary>
        <ul className="max-h-64 space-y-2 overflow-y-auto px-5 pb-3">
          {problems.map((problem) => (
            <li key={problem}>
              <pre className="font-mono text-xs break-words whitespace-pre-wrap">{problem}</pre>
            </li>
          ))}
        </ul>
      </details>
    );
  }
  if (!config || config.needs_restart.length === 0) return null;
  return (
    <p
      role="status"
      className="flex items-center gap-2 border-b border-line bg-warn-soft px-5 py-2 text-sm text-warn"
    >
      <RotateCw size={14} className="shrink-0" aria-hidden />
      <span className="min-w-0">
        Changed in <span className="font-mono text-xs">{file}</span>, in force after a restart:{' '}
        <span className="font-mono text-xs break-all">{config.needs_restart.join(', ')}</span>
      </span>
    </p>
  );
}
