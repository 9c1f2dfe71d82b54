import { Link } from '@tanstack/react-router';

import { formatWhole } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';
import { Coded } from '@/shared/ui/coded';
import { Card } from '@/shared/ui/page';

import type { Concept, Trend } from '../types';
import { formatP } from '../view';
import { Trendline } from './compared';

const shown = (mean: number | undefined): string =>
  mean === undefined ? '–' : String(Number(mean.toPrecision(3)));

/** Whether the same sort of input is judged as it was. */
export function ConceptCard({ concept, trend }: { concept: Concept; trend: Trend | undefined }) {
  const { cell, groups } = concept;
  const { found } = cell;
  const means = groups.flatMap((group) => [group.now, group.before]).filter((mean) => mean !== undefined);
  const [low, high] = [Math.min(...means, 0), Math.max(...means, 1e-9)];
  const place = (mean: number): string => `${((mean - low) / (high - low)) * 100}%`;
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          Concept drift: inputs → {concept.score}
          {cell.drifted && <Badge tone="error">drifted</Badge>}
        </span>
      }
      aside={
        <span className="pr-2 text-xs text-muted">
          by {concept.by === 'input' ? 'clusters of what was asked' : concept.by}
        </span>
      }
    >
      <div className="space-y-4 p-4 pt-1">
        <p className="text-sm text-muted">
          {found ? (
            <>
              <Coded text={found.text} />. Effect{' '}
              <strong className="num text-ink">{found.effect.toPrecision(3)}</strong> standard deviations
              (limit {found.min_effect}), corrected p <span className="num">{formatP(found.p_adjusted)}</span>
              .
            </>
          ) : (
            <>
              There are too few scores: {cell.current_samples} now, {cell.reference_samples} before.
            </>
          )}
        </p>
        <table className="w-full text-sm">
          <thead className="border-b border-line text-left text-xs text-faint">
            <tr>
              {['Sort of input', 'Scores', 'Mean before → now', '', 'Example'].map((title, at) => (
                <th key={at} scope="col" className="px-2 py-1.5 font-medium">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {groups.map((group) => (
              <tr key={group.name}>
                <th
                  scope="row"
                  className="max-w-64 truncate px-2 py-1.5 text-left font-medium"
                  title={group.name}
                >
                  {group.name || '(none)'}
                </th>
                <td className="num px-2 py-1.5 text-xs whitespace-nowrap text-muted">
                  {formatWhole(group.reference_samples)} → {formatWhole(group.current_samples)}
                </td>
                <td className="num px-2 py-1.5 text-xs whitespace-nowrap">
                  {shown(group.before)} → {shown(group.now)}
                </td>
                <td className="w-1/4 px-2 py-1.5">
                  <span className="relative block h-2 rounded-full bg-sunken" aria-hidden>
                    {group.before !== undefined && (
                      <span
                        className="absolute top-1/2 size-2.5 -translate-1/2 rounded-full border border-surface bg-(--series-2)"
                        style={{ left: place(group.before) }}
                      />
                    )}
                    {group.now !== undefined && (
                      <span
                        className="absolute top-1/2 size-2.5 -translate-1/2 rounded-full border border-surface bg-(--series-1)"
                        style={{ left: place(group.now) }}
                      />
                    )}
                  </span>
                </td>
                <td className="max-w-64 truncate px-2 py-1.5 text-xs">
                  {group.example && (
                    <Link
                      to="/traces/$traceId"
                      params={{ traceId: group.example.trace_id }}
                      search={{ span: group.example.span_id }}
                      className="text-muted hover:text-accent hover:underline"
                      title={group.example.value}
                    >
                      {group.example.value}
                    </Link>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {found && <Trendline trend={trend} least={found.min_effect} />}
      </div>
    </Card>
  );
}
