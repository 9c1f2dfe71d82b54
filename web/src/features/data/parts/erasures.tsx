import { useQuery } from '@tanstack/react-query';
import { Eraser } from 'lucide-react';

import type { Erasure } from '@/api/types';
import { keysQuery } from '@/shared/data/query';
import { formatWhole } from '@/shared/format/numbers';
import { exactTime, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { labelOf } from '../erasure';
import { erasuresQuery } from '../queries';
import { cell, head } from './table';

const number = cx(cell, 'num text-right');

function Row({ erasure, keys }: { erasure: Erasure; keys: Map<string, string> }) {
  const { erased, actor } = erasure;
  return (
    <tr>
      <td className={cx(cell, 'num')} title={exactTime(erasure.time)}>
        {formatTime(erasure.time)}
      </td>
      <td className={cell}>{labelOf(erasure.by)}</td>
      <td className={cx(cell, 'max-w-40 truncate')}>
        {actor === undefined ? 'nobody known' : (keys.get(actor) ?? actor)}
      </td>
      <td className={number}>{formatWhole(erased.spans)}</td>
      <td className={number}>{formatWhole(erased.other_rows)}</td>
      <td className={number}>{formatWhole(erased.files)}</td>
      <td className={cell}>
        {erased.complete ? (
          <Badge tone="ok" title="Their bytes were gone from the disk when it was done">
            at once
          </Badge>
        ) : (
          <Badge tone="warn" title="Something still read them; they went as soon as it had ended">
            later
          </Badge>
        )}
      </td>
    </tr>
  );
}

/** What was erased so far. */
export function Erasures() {
  const answer = useQuery(erasuresQuery);
  const keys = useQuery(keysQuery);
  const names = new Map(keys.data?.keys.map((key) => [key.id, key.name]));
  const erasures = answer.data?.erasures;
  return (
    <Card title="Erased so far" aside={<span className="pr-2 text-xs text-faint">of whom is not kept</span>}>
      {answer.isPending && <SkeletonRows rows={2} widths={['w-24', 'w-16', 'w-24', 'w-12', 'w-12']} />}
      {answer.isError && !erasures && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {erasures?.length === 0 && (
        <EmptyState icon={<Eraser size={22} />} title="Nothing was erased yet" className="pt-4 pb-8" />
      )}
      {erasures && erasures.length > 0 && (
        <div className="max-h-96 overflow-auto">
          <table className="w-full text-sm">
            <thead className={head}>
              <tr>
                {['When', 'What', 'By', 'Spans', 'Other rows', 'Files', 'Bytes gone'].map((title, i) => (
                  <th key={title} scope="col" className={cx(i >= 3 && i <= 5 ? number : cell, 'font-medium')}>
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody className="divide-y divide-line">
              {erasures.map((erasure, i) => (
                <Row key={`${erasure.time} ${i}`} erasure={erasure} keys={names} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
