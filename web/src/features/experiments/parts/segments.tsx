import { useState } from 'react';

import type { ComparedSegment, Comparison } from '@/api/types';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Card } from '@/shared/ui/page';

import { formatMeasure, formatSigned, letterOf, sentenceOf, titleOf, toneOf } from '../figures';

const cell = 'px-3 py-2 text-left align-middle first:pl-4 last:pr-4';

/** The stronger the colour, the larger the difference beside the others of its metric; pale where chance may have made it. */
function shade(change: number, lower: boolean, most: number, sure: boolean): string | undefined {
  const tone = toneOf(change, lower);
  if (tone === 'same' || most === 0) return undefined;
  const share = Math.round((sure ? 14 : 3) + (Math.abs(change) / most) * (sure ? 22 : 7));
  return `color-mix(in srgb, var(--${tone === 'good' ? 'ok' : 'error'}) ${share}%, transparent)`;
}

/** Where a run gained and where it lost, by a field that tells items apart. */
export function Segments({
  told,
  picked,
  onPick,
}: {
  told: Comparison;
  picked?: string;
  onPick: (segment?: string) => void;
}) {
  const others = told.runs.filter(({ id }) => id !== told.baseline);
  const [field, setField] = useState(told.segments[0]?.field);
  const [run, setRun] = useState(others[0]?.id);
  const shown = told.segments.find((one) => one.field === field) ?? told.segments[0];
  if (!shown || !others[0]) return null;
  const side = told.runs.findIndex(({ id }) => id === run);
  const of = (segment: ComparedSegment, metric: string) =>
    segment.metrics.find((one) => one.metric === metric)?.runs[side];
  const metrics = told.metrics.filter(({ metric }) =>
    shown.values.some((one) => of(one, metric)?.difference),
  );
  const most = (metric: string): number =>
    Math.max(0, ...shown.values.map((one) => Math.abs(of(one, metric)?.difference?.mean ?? 0)));
  return (
    <Card
      title="By segment"
      aside={
        <span className="flex gap-2">
          {told.segments.length > 1 && (
            <select
              aria-label="Field"
              value={shown.field}
              onChange={(event) => setField(event.target.value)}
              className={cx(inputClass, 'h-7 w-auto text-xs')}
            >
              {told.segments.map((one) => (
                <option key={one.field}>{one.field}</option>
              ))}
            </select>
          )}
          {others.length > 1 && (
            <select
              aria-label="Run"
              value={run}
              onChange={(event) => setRun(event.target.value)}
              className={cx(inputClass, 'h-7 w-auto max-w-48 text-xs')}
            >
              {others.map(({ id, name }) => (
                <option key={id} value={id}>
                  {letterOf(told.runs.findIndex((one) => one.id === id))} {name}
                </option>
              ))}
            </select>
          )}
        </span>
      }
    >
      <div className="overflow-x-auto border-t border-line">
        <table className="w-full text-sm">
          <thead className="border-b border-line text-xs text-faint">
            <tr>
              <th scope="col" className={cx(cell, 'font-medium')}>
                {shown.field}
              </th>
              <th scope="col" className={cx(cell, 'text-right font-medium')}>
                Items
              </th>
              {metrics.map(({ metric }) => (
                <th key={metric} scope="col" className={cx(cell, 'text-right font-medium')}>
                  {titleOf(metric)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {shown.values.map((segment) => {
              const name = `${shown.field}:${segment.value}`;
              return (
                <tr key={segment.value} className={cx(name === picked && 'bg-hover')}>
                  <th scope="row" className={cx(cell, 'font-normal')}>
                    <button
                      type="button"
                      onClick={() => onPick(name === picked ? undefined : name)}
                      aria-pressed={name === picked}
                      className="max-w-64 truncate text-left font-medium hover:text-accent hover:underline"
                      title="Show its items only"
                    >
                      {segment.value}
                    </button>
                  </th>
                  <td className={cx(cell, 'num text-right text-muted')}>{segment.items}</td>
                  {metrics.map(({ metric, direction }) => {
                    const one = of(segment, metric);
                    const pairs = one?.difference;
                    const sure = pairs?.verdict === 'better' || pairs?.verdict === 'worse';
                    const background = pairs && shade(pairs.mean, direction === 'lower', most(metric), sure);
                    return (
                      <td
                        key={metric}
                        className={cx(cell, 'num text-right')}
                        style={{ background }}
                        title={pairs && sentenceOf(metric, pairs)}
                      >
                        <span className={cx(sure && 'font-semibold')}>
                          {formatSigned(metric, pairs?.mean)}
                        </span>
                        <div className="text-2xs text-faint">{formatMeasure(metric, one?.mean)}</div>
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="border-t border-line px-4 py-2 text-2xs text-faint">
        The change from the baseline, and what it is now. Bold where it holds after correction for the number
        of segments; pale where chance may have made it.
      </p>
    </Card>
  );
}
