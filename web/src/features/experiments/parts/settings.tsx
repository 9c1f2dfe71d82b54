import type { Run } from '@/api/types';
import { dash } from '@/shared/format/numbers';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';

import { letterOf, runColors } from '../figures';
import { differencesOf } from '../settings';

const cell = 'px-3 py-2 text-left align-top first:pl-4 last:pr-4';

/** What was set otherwise in one run than in another. */
export function Settings({ runs }: { runs: Run[] }) {
  const settings = differencesOf(runs);
  if (settings.length === 0) return null;
  return (
    <Card title="What was set otherwise">
      <div className="max-h-72 overflow-auto border-t border-line">
        <table className="w-full text-sm">
          <thead className="border-b border-line text-xs text-faint">
            <tr>
              <th scope="col" className={cx(cell, 'font-medium')}>
                Setting
              </th>
              {runs.map((run, i) => (
                <th key={run.id} scope="col" className={cx(cell, 'font-medium')}>
                  <span className="flex items-center gap-1.5" title={run.name}>
                    <span className="size-2 rounded-full" style={{ background: runColors[i] }} aria-hidden />
                    {letterOf(i)}
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {settings.map(({ name, values }) => (
              <tr key={name}>
                <th scope="row" className={cx(cell, 'font-mono text-xs font-normal whitespace-nowrap')}>
                  {name}
                </th>
                {values.map((value, i) => (
                  <td key={i} className={cx(cell, 'max-w-96 font-mono text-xs break-words')}>
                    <span className="line-clamp-4" title={value}>
                      {value === '' ? dash : value}
                    </span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
