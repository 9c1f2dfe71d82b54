import { History as Clock, Pencil, ShieldOff } from 'lucide-react';
import { useState } from 'react';

import type { Guardrails, Policy, PolicyException } from '@/api/types';
import { Badge } from '@/shared/ui/badge';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { EmptyState } from '@/shared/ui/states';

import type { Draft } from '../draft';
import { inWords } from '../options';
import { Editor } from './editor';
import { History } from './history';
import { actionTone } from './tones';

const cell = 'px-3 py-2 text-left align-top first:pl-4 last:pr-4';

/** What a policy says besides its scanner, place and action. */
function detailsOf(policy: Policy): string[] {
  const {
    roles = [],
    rules = [],
    min_confidence,
    allow = [],
    options = {},
    owner,
    rationale,
    when,
    sample,
    reply,
  } = policy;
  return [
    ...(rationale !== undefined ? [rationale] : []),
    ...(owner !== undefined ? [`owner: ${owner}`] : []),
    ...(roles.length > 0 ? [`texts of ${roles.join(', ')}`] : []),
    ...(rules.length > 0 ? [`only ${rules.join(', ')}`] : []),
    ...(min_confidence !== undefined ? [`at least ${Math.round(min_confidence * 100)}% sure`] : []),
    ...(allow.length > 0 ? [`except ${allow.join(', ')}`] : []),
    ...(when !== undefined ? [`when ${when}`] : []),
    ...(sample !== undefined ? [`of ${Math.round(sample * 100)}% of calls`] : []),
    ...(reply !== undefined ? [`replies: ${reply}`] : []),
    ...Object.entries(options).map(([name, value]) => `${name}: ${inWords(value)}`),
  ];
}

/** An exception in words. */
function wordsOf(one: PolicyException): string {
  return [
    one.scanner,
    ...(one.rules && one.rules.length > 0 ? [one.rules.join(', ')] : []),
    ...(one.user !== undefined ? [`for user ${one.user}`] : []),
    ...(one.key !== undefined ? [`with key ${one.key}`] : []),
    ...(one.sha256 !== undefined ? [`text ${one.sha256.slice(0, 8)}…`] : []),
    ...(one.until !== undefined ? [`until ${one.until}`] : []),
  ].join(' · ');
}

function Rows({
  title,
  policies,
  summaries,
}: {
  title: string;
  policies: Policy[];
  summaries: Map<string, string>;
}) {
  return (
    <tbody className="divide-y divide-line">
      <tr>
        <th
          colSpan={4}
          scope="rowgroup"
          className="bg-sunken px-4 py-1 text-left text-2xs font-medium text-muted"
        >
          {title}
        </th>
      </tr>
      {policies.map((policy, i) => (
        <tr key={i}>
          <td className={cx(cell, 'font-mono text-xs')} title={summaries.get(policy.scanner)}>
            {policy.scanner}
            {policy.name !== undefined && <div className="font-sans text-muted">{policy.name}</div>}
          </td>
          <td className={cx(cell, 'whitespace-nowrap')}>{policy.on?.join(', ') ?? 'input, output'}</td>
          <td className={cell}>
            <span className="flex flex-wrap gap-1">
              <Badge tone={actionTone[policy.action ?? 'flag']}>{policy.action ?? 'flag'}</Badge>
              {policy.shadow === true && <Badge title="It only records what it would do">in shadow</Badge>}
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
  );
}

function ExceptionList({ guardrails }: { guardrails: Guardrails }) {
  const { exceptions, own, expired } = guardrails;
  const all = [
    ...exceptions.map((one, i) => ({ one, name: `exceptions[${i}]` })),
    ...own.exceptions.map((one, i) => ({ one, name: `own.exceptions[${i}]` })),
  ];
  if (all.length === 0) return null;
  return (
    <ul className="divide-y divide-line border-t border-line text-xs" aria-label="Exceptions">
      {all.map(({ one, name }) => (
        <li key={name} className="flex items-baseline gap-2 px-4 py-2">
          <Badge tone={expired.includes(name) ? 'error' : 'neutral'}>
            {expired.includes(name) ? 'expired exception' : 'exception'}
          </Badge>
          <span className="font-mono">{wordsOf(one)}</span>
          <span className="min-w-0 flex-1 truncate text-muted" title={one.reason}>
            {one.reason}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** The policies in force: those of the configuration, and those that are added here. */
export function Policies({ guardrails }: { guardrails: Guardrails }) {
  const { policies, own, scanners } = guardrails;
  const count = policies.length + own.policies.length;
  const [start, setStart] = useState<Draft>();
  const [history, setHistory] = useState(false);
  const summaries = new Map(scanners.map(({ name, summary }) => [name, summary]));
  return (
    <Card
      title={
        <>
          Policies in force
          {count > 0 && <span className="num ml-2 font-normal text-faint">{count}</span>}
        </>
      }
      aside={
        <>
          <IconButton label="History of the policies" onClick={() => setHistory(true)}>
            <Clock size={14} aria-hidden />
          </IconButton>
          <Button size="sm" onClick={() => setStart(own)}>
            <Pencil size={12} aria-hidden /> Edit
          </Button>
        </>
      }
    >
      {count === 0 ? (
        <EmptyState icon={<ShieldOff size={22} />} title="The guardrails are off" className="pt-4 pb-8">
          <p>Neither signalbox.yaml nor this project has a policy: nothing is looked for.</p>
        </EmptyState>
      ) : (
        <div className="scroll-hint max-h-[32rem] overflow-auto">
          <table className="w-full text-sm">
            <thead className="sticky-head text-xs text-faint">
              <tr>
                {['Scanner', 'On', 'Action', 'Which findings'].map((title) => (
                  <th key={title} scope="col" className={cx(cell, 'font-medium')}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            {policies.length > 0 && (
              <Rows title="from signalbox.yaml, read-only here" policies={policies} summaries={summaries} />
            )}
            {own.policies.length > 0 && (
              <Rows
                title={`of this project, version ${own.version}`}
                policies={own.policies}
                summaries={summaries}
              />
            )}
          </table>
        </div>
      )}
      <ExceptionList guardrails={guardrails} />
      {start && <Editor start={start} guardrails={guardrails} onClose={() => setStart(undefined)} />}
      {history && (
        <History
          onClose={() => setHistory(false)}
          onTake={(version) => {
            setHistory(false);
            setStart(version);
          }}
        />
      )}
    </Card>
  );
}
