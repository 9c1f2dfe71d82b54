import { ShieldOff } from 'lucide-react';

import type { Guardrails, Policy } from '@/api/types';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { EmptyState } from '@/shared/ui/states';

import { actionTone } from './tones';

const cell = 'px-3 py-2 text-left align-top first:pl-4 last:pr-4';

/** What a policy says besides its scanner, place and action. */
function detailsOf(policy: Policy): string[] {
  const { rules = [], min_confidence, allow = [], options = {}, owner, rationale } = policy;
  return [
    ...(rationale !== undefined ? [rationale] : []),
    ...(owner !== undefined ? [`owner: ${owner}`] : []),
    ...(rules.length > 0 ? [`only ${rules.join(', ')}`] : []),
    ...(min_confidence !== undefined ? [`at least ${Math.round(min_confidence * 100)}% sure`] : []),
    ...(allow.length > 0 ? [`except ${allow.join(', ')}`] : []),
    ...Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
  ];
}

/** The policies in force, as the configuration says. */
export function Policies({ guardrails }: { guardrails: Guardrails }) {
  const { policies, scanners } = guardrails;
  const summaries = new Map(scanners.map(({ name, summary }) => [name, summary]));
  return (
    <Card
      title="Policies in force"
      aside={
        <span className="pr-2 text-xs text-faint" title="Change `guard.policies` there">
          from signalbox.yaml, read-only here
        </span>
      }
    >
      {policies.length === 0 ? (
        <EmptyState icon={<ShieldOff size={22} />} title="The guardrails are off" className="pt-4 pb-8">
          <p>`guard.policies` in signalbox.yaml is an empty list: nothing is looked for.</p>
        </EmptyState>
      ) : (
        <div className="max-h-96 overflow-auto">
          <table className="w-full text-sm">
            <thead className="border-y border-line text-xs text-faint">
              <tr>
                {['Scanner', 'On', 'Action', 'Which findings'].map((title) => (
                  <th key={title} scope="col" className={cx(cell, 'font-medium')}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {policies.map((policy, i) => (
                <tr key={i}>
                  <td className={cx(cell, 'font-mono text-xs')} title={summaries.get(policy.scanner)}>
                    {policy.scanner}
                    {policy.name !== undefined && <div className="font-sans text-muted">{policy.name}</div>}
                  </td>
                  <td className={cx(cell, 'whitespace-nowrap')}>
                    {policy.on?.join(', ') ?? 'input, output'}
                  </td>
                  <td className={cell}>
                    <span className="flex flex-wrap gap-1">
                      <Badge tone={actionTone[policy.action ?? 'flag']}>{policy.action ?? 'flag'}</Badge>
                      {policy.shadow === true && (
                        <Badge title="It only records what it would do">in shadow</Badge>
                      )}
                    </span>
                  </td>
                  <td className={cx(cell, 'text-xs break-words text-muted')}>
                    {detailsOf(policy).map((detail) => (
                      <div key={detail} className="line-clamp-3" title={detail}>
                        {detail}
                      </div>
                    ))}
                    {detailsOf(policy).length === 0 && 'all'}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
