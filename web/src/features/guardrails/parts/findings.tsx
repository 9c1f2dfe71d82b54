import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ShieldCheck } from 'lucide-react';

import type { Query } from '@/api/types';
import { answerQuery, numberOf, rowsOf } from '@/shared/data/query';
import { QueryButton } from '@/shared/data/query-button';
import { formatCount } from '@/shared/format/numbers';
import { asText } from '@/shared/format/text';
import { exactTime, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { textOf } from '../queries';
import { SayFeedback } from './feedback';
import { actionTone, severityTone, toneOf } from './tones';

const cell = 'px-3 py-2 text-left whitespace-nowrap first:pl-4 last:pr-4';
const number = cx(cell, 'num text-right');
const head = 'sticky-head text-xs text-faint';
/** Takes the room that the others leave, and stays in sight where there isn't enough. */
const filling = 'w-full max-w-0 min-w-48 truncate';
const stays = 'md:sticky md:right-0 bg-surface';

interface Asked {
  query: Query;
  refetchInterval: number | false;
}

function Nothing() {
  return (
    <EmptyState
      icon={<ShieldCheck size={22} />}
      title="Nothing was found in this range"
      className="pt-4 pb-8"
    >
      <p>What a policy finds in a call of the gateway appears here, with its trace.</p>
    </EmptyState>
  );
}

/** How often each scanner found something, and what was done. A scanner that is picked filters the feed. */
export function ByScanner({
  query,
  refetchInterval,
  picked,
  onPick,
}: Asked & { picked?: string; onPick: (scanner?: string) => void }) {
  const answer = useQuery({ ...answerQuery(query), refetchInterval });
  const rows = rowsOf(answer.data);
  return (
    <Card title="By scanner" aside={<QueryButton title="By scanner" query={query} />}>
      {answer.isPending && <SkeletonRows rows={3} widths={['w-32', 'w-12', 'w-12', 'w-12', 'w-12']} />}
      {answer.isError && !answer.data && (
        <ErrorState error={answer.error} retry={() => void answer.refetch()} />
      )}
      {answer.data && rows.length === 0 && <Nothing />}
      {rows.length > 0 && (
        <div className="scroll-hint max-h-80 overflow-auto">
          <table className="w-full text-sm">
            <thead className={head}>
              <tr>
                {['Scanner', 'Findings', 'Flagged', 'Redacted', 'Blocked'].map((title, i) => (
                  <th key={title} scope="col" className={cx(i > 0 ? number : cell, 'font-medium')}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((row) => {
                const name = asText(row.scanner);
                return (
                  <tr key={name} className={cx(picked === name && 'bg-accent-soft')}>
                    <td className={cell}>
                      <button
                        type="button"
                        aria-pressed={picked === name}
                        className="font-mono text-xs text-accent hover:underline"
                        onClick={() => onPick(picked === name ? undefined : name)}
                      >
                        {name}
                      </button>
                    </td>
                    {['findings', 'flag', 'redact', 'block'].map((column) => (
                      <td key={column} className={number}>
                        {formatCount(numberOf(row[column]) ?? 0)}
                      </td>
                    ))}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

/** The latest findings, each with its trace. */
export function Feed({
  query,
  refetchInterval,
  picked,
  onPick,
}: Asked & { picked?: string; onPick: (scanner?: string) => void }) {
  const answer = useQuery({ ...answerQuery(query), refetchInterval });
  const rows = rowsOf(answer.data);
  return (
    <Card
      title="Latest findings"
      aside={
        <>
          {picked !== undefined && (
            <button
              type="button"
              className="px-1 text-xs font-medium text-accent hover:underline"
              onClick={() => onPick(undefined)}
            >
              only {picked}: show all
            </button>
          )}
          <QueryButton title="Latest findings" query={query} />
        </>
      }
    >
      {answer.isPending && <SkeletonRows rows={5} widths={['w-20', 'w-14', 'w-40', 'w-14', 'w-40']} />}
      {answer.isError && !answer.data && (
        <ErrorState error={answer.error} retry={() => void answer.refetch()} />
      )}
      {answer.data && rows.length === 0 && <Nothing />}
      {rows.length > 0 && (
        <div className="scroll-hint max-h-[32rem] overflow-auto">
          <table className="w-full text-sm">
            <thead className={head}>
              <tr>
                {[
                  'When',
                  'Action',
                  'Scanner and rule',
                  'Severity',
                  'On',
                  'Sure',
                  'What it means',
                  'Trace',
                  'Right?',
                ].map((title) => (
                  <th
                    key={title}
                    scope="col"
                    className={cx(cell, 'font-medium', title === 'Right?' && stays)}
                  >
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {rows.map((row) => {
                const [time, traceId, spanId] = [asText(row.time), asText(row.trace_id), asText(row.span_id)];
                return (
                  <tr key={`${traceId} ${spanId} ${asText(row.number)}`} className="group hover:bg-hover">
                    <td className={cx(cell, 'num')} title={exactTime(time)}>
                      {formatTime(time)}
                    </td>
                    <td className={cell}>
                      <Badge tone={toneOf(actionTone, row.action)}>{asText(row.action)}</Badge>
                    </td>
                    <td className={cx(cell, 'font-mono text-xs')}>
                      {asText(row.scanner)}.{asText(row.rule)}
                    </td>
                    <td className={cell}>
                      <Badge tone={toneOf(severityTone, row.severity)}>{asText(row.severity)}</Badge>
                    </td>
                    <td className={cell}>{asText(row.place)}</td>
                    <td className={cx(cell, 'num')}>{Math.round((numberOf(row.confidence) ?? 0) * 100)}%</td>
                    <td className={cx(cell, filling, 'text-muted')} title={asText(row.message)}>
                      {asText(row.message)}
                    </td>
                    <td className={cell}>
                      <Link
                        to="/traces/$traceId"
                        params={{ traceId }}
                        search={{ span: spanId }}
                        className="font-mono text-xs text-accent hover:underline"
                      >
                        {traceId.slice(0, 8)}
                      </Link>
                    </td>
                    <td className={cx(cell, stays, 'group-hover:bg-hover')}>
                      <SayFeedback
                        label="false_positive"
                        about={{ scanner: asText(row.scanner), rule: asText(row.rule), trace_id: traceId }}
                        text={() => textOf(traceId, spanId, asText(row.place), numberOf(row.number) ?? 0)}
                      />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
