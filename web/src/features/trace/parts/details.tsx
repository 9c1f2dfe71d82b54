import type { ReactNode } from 'react';

import type { Finding, SpanDetail, TraceScore } from '@/api/types';
import { dash, formatCost, formatDuration, formatShare, formatWhole } from '@/shared/format/numbers';
import { exactTime } from '@/shared/time/format';
import { Badge, type Tone } from '@/shared/ui/badge';
import { CopyIcon } from '@/shared/ui/copy';
import { JsonTree } from '@/shared/ui/json-tree';

import { routeOf } from '../route';
import { usageClasses } from '../usage';
import { RouteTries } from './route';
import { ScoreList } from './scores';

function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-2 flex items-center gap-2 text-sm font-semibold">
        {title}
        {aside && <span className="text-xs font-normal text-faint">{aside}</span>}
      </h3>
      {children}
    </section>
  );
}

function Usage({ span }: { span: SpanDetail }) {
  const classes = usageClasses(span);
  const total = classes.reduce((sum, one) => sum + one.tokens, 0);
  if (total === 0) return <p className="text-sm text-muted">The provider reported no usage.</p>;
  return (
    <div>
      <div
        className="mb-3 flex h-2 gap-px overflow-hidden rounded-full"
        role="img"
        aria-label="Share of tokens by class"
      >
        {classes.map((one) => (
          <div
            key={one.label}
            style={{ width: `${(one.tokens / total) * 100}%`, background: `var(${one.color})` }}
            title={`${one.label}: ${formatShare(one.tokens / total)}`}
          />
        ))}
      </div>
      <table className="num w-full text-sm">
        <thead className="text-xs text-faint">
          <tr className="text-right">
            <th className="pb-1 text-left font-medium">Class</th>
            <th className="pb-1 font-medium">Tokens</th>
            <th className="pb-1 font-medium">Share</th>
            <th className="pb-1 font-medium">Cost</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-y border-line">
          {classes.map((one) => (
            <tr key={one.label} className="text-right">
              <th scope="row" className="flex items-center gap-2 py-1.5 text-left font-normal">
                <span className="size-2 rounded-[2px]" style={{ background: `var(${one.color})` }} />
                {one.label}
              </th>
              <td>{formatWhole(one.tokens)}</td>
              <td className="text-muted">{formatShare(one.tokens / total)}</td>
              <td title={one.partOf ? `Included in ${one.partOf}` : undefined}>
                {one.partOf ? <span className="text-faint">in {one.partOf}</span> : formatCost(one.cost)}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="text-right font-semibold">
            <th scope="row" className="py-1.5 text-left">
              Total
            </th>
            <td>{formatWhole(total)}</td>
            <td />
            <td>{formatCost(span.cost)}</td>
          </tr>
        </tfoot>
      </table>
      <p className="mt-1 text-xs text-faint">
        {span.cost === undefined
          ? 'The cost is unknown: there is no price for this model. That is not the same as free.'
          : span.cost_source === 'reported'
            ? 'The sender reported this cost.'
            : 'Priced by Signalbox from the tokens.'}
      </p>
    </div>
  );
}

const severityTone: Record<Finding['severity'], Tone> = {
  low: 'neutral',
  medium: 'warn',
  high: 'error',
  critical: 'error',
};
const actionTone: Record<Finding['action'], Tone> = {
  flag: 'warn',
  tokenise: 'info',
  redact: 'info',
  rewrite: 'error',
  block: 'error',
};

function Findings({ findings }: { findings: Finding[] }) {
  return (
    <ul className="space-y-2">
      {findings.map((finding, i) => (
        <li key={i} className="rounded-lg border border-line bg-surface p-3">
          <div className="flex flex-wrap items-center gap-1.5">
            <span className="font-mono text-xs font-medium">
              {finding.scanner}/{finding.rule}
            </span>
            <Badge tone={severityTone[finding.severity]}>{finding.severity}</Badge>
            <Badge tone={actionTone[finding.action]}>{finding.action}</Badge>
            <Badge>{finding.place}</Badge>
            <span
              className="num ml-auto text-xs text-faint"
              title={`Bytes ${finding.start} to ${finding.end} of the text`}
            >
              {formatShare(finding.confidence)} sure
            </span>
          </div>
          <p className="mt-1.5 text-sm text-muted">{finding.message}</p>
        </li>
      ))}
    </ul>
  );
}

type FactRow = [label: string, value: ReactNode, copy?: string];

function Facts({ rows }: { rows: FactRow[] }) {
  return (
    <dl className="divide-y divide-line border-y border-line text-sm">
      {rows
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([label, value, copy]) => (
          <div key={label} className="group flex min-h-8 items-center gap-4 py-1">
            <dt className="w-36 shrink-0 text-muted">{label}</dt>
            <dd className="num flex min-w-0 flex-1 items-center gap-2">
              <span className="min-w-0 flex-1 break-words">{value}</span>
              {copy && (
                <CopyIcon
                  text={copy}
                  label={`Copy ${label.toLowerCase()}`}
                  className="-my-1 opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
                />
              )}
            </dd>
          </div>
        ))}
    </dl>
  );
}

const showParameter = (value: unknown): ReactNode =>
  typeof value === 'object' && value !== null ? <JsonTree value={value} openTo={1} /> : String(value);

/** Everything about a span that is not what was said. */
export function Details({
  span,
  scores,
  own,
}: {
  span: SpanDetail;
  scores: TraceScore[];
  /** What can be done with one's own scores. */
  own?: (score: TraceScore) => ReactNode;
}) {
  const perSecond =
    span.output_tokens && span.duration_ms > (span.ttft_ms ?? 0)
      ? (span.output_tokens / (span.duration_ms - (span.ttft_ms ?? 0))) * 1_000
      : undefined;
  const parameters = Object.entries(span.model_parameters ?? {});
  const isCall = span.kind === 'llm' || span.kind === 'embedding';
  return (
    <div className="space-y-6 p-4">
      {span.status === 'error' && (
        <Section title="Error">
          <div className="rounded-lg border border-error/40 bg-error-soft p-3">
            <div className="flex items-center gap-2">
              <Badge tone="error" className="border-error/40">
                {span.error_type ?? 'error'}
              </Badge>
              {span.http_status !== undefined && (
                <span className="num text-xs text-error">HTTP {span.http_status}</span>
              )}
            </div>
            <p className="mt-2 text-sm break-words whitespace-pre-wrap">
              {span.status_message ?? 'No message was recorded.'}
            </p>
          </div>
        </Section>
      )}
      {span.findings && span.findings.length > 0 && (
        <Section title="Guardrail findings" aside={`verdict: ${span.verdict ?? dash}`}>
          <Findings findings={span.findings} />
        </Section>
      )}
      {scores.length > 0 && (
        <Section title="Scores" aside="of this span and of the whole trace">
          <ScoreList scores={scores} own={own} />
        </Section>
      )}
      {isCall && (
        <Section title="Tokens and cost">
          <Usage span={span} />
        </Section>
      )}
      {routeOf(span) && (
        <Section title="Route">
          <RouteTries span={span} />
        </Section>
      )}
      <Section title="Timing">
        <Facts
          rows={[
            ['Started', exactTime(span.start_time).split('\n')[0], span.start_time],
            ['Duration', formatDuration(span.duration_ms)],
            ['First token', span.ttft_ms === undefined ? undefined : formatDuration(span.ttft_ms)],
            ['Output speed', perSecond === undefined ? undefined : `${perSecond.toFixed(1)} tokens/s`],
            ['Streaming', isCall ? (span.streaming ? 'yes' : 'no') : undefined],
          ]}
        />
      </Section>
      <Section title="Call">
        <Facts
          rows={[
            ['Model', span.model, span.model],
            ['Model asked for', span.model_requested === span.model ? undefined : span.model_requested],
            ['Provider', span.provider],
            ['Operation', span.operation],
            ['Finish reason', span.finish_reasons?.join(', ')],
            ['HTTP status', span.http_status],
            ['Tool', span.tool_name],
            ['Tool call', span.tool_call_id, span.tool_call_id],
            ['Agent', span.agent_name],
            [
              'Prompt',
              span.prompt_name &&
                `${span.prompt_name}${span.prompt_version ? ` @ ${span.prompt_version}` : ''}`,
            ],
            ['User', span.user_id, span.user_id],
            ['Session', span.session_id, span.session_id],
            ['Environment', span.environment],
            ['Release', span.release],
            ['Service', span.service_name],
            ['Guardrails', span.verdict],
            ['Key', span.key_id],
            ['Response id', span.response_id, span.response_id],
            ['Span id', <span className="font-mono text-xs">{span.span_id}</span>, span.span_id],
            ['Came in as', [span.source, span.dialect].filter(Boolean).join(' · ')],
          ]}
        />
      </Section>
      {parameters.length > 0 && (
        <Section title="Parameters">
          <Facts rows={parameters.map(([name, value]): FactRow => [name, showParameter(value)])} />
        </Section>
      )}
      {span.events && span.events.length > 0 && (
        <Section title="Events">
          <ul className="space-y-2">
            {span.events.map((event, i) => (
              <li key={i} className="rounded-md border border-line p-2.5">
                <div className="flex items-baseline gap-2 text-sm">
                  <span className="font-medium">{event.name}</span>
                  <span className="num ml-auto text-xs text-faint">
                    +{formatDuration(Date.parse(event.time) - Date.parse(span.start_time))}
                  </span>
                </div>
                {event.attributes && Object.keys(event.attributes).length > 0 && (
                  <JsonTree value={event.attributes} openTo={1} />
                )}
              </li>
            ))}
          </ul>
        </Section>
      )}
    </div>
  );
}
