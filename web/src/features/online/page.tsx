import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Plus, Radar } from 'lucide-react';
import { useState } from 'react';

import { answerQuery, rowsOf } from '@/shared/data/query';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { type Range, readRange } from '@/shared/time/range';
import { RangePicker } from '@/shared/time/range-picker';
import { Button } from '@/shared/ui/button';
import { PageHeader } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { draftOf, fresh } from './draft';
import { Editor, type Edited } from './parts/editor';
import { RuleCard } from './parts/rule-card';
import { rulesQuery } from './queries';
import { ratesOf, ratesQuestion } from './rates';

const route = getRouteApi('/house/online');
const aDay: Range = { from: 'now-24h', to: 'now' };

export function OnlinePage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  // Quality moves slowly: a day says more than an hour.
  const range = search.from === undefined ? aDay : readRange(search);
  const answer = useQuery(rulesQuery);
  const rates = useQuery({ ...answerQuery(ratesQuestion), refetchInterval: 10_000 });
  const [edited, setEdited] = useState<Edited>();
  const rules = answer.data?.rules;
  const perMinute = rates.data && ratesOf(rowsOf(rates.data));
  const begin = (): void => setEdited({ base: 0, draft: fresh() });
  useShortcuts([{ keys: 'n', label: 'New rule', group: 'Online evaluation', run: begin }]);
  return (
    <>
      <title>Online evaluation · Signalbox</title>
      <PageHeader title="Online evaluation">
        <RangePicker
          range={range}
          onChange={(next) => void navigate({ to: '/online', search: { ...search, ...next } })}
        />
        <Button look="primary" onClick={begin}>
          <Plus size={14} aria-hidden /> New rule
        </Button>
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-[1400px] flex-col gap-3 p-5">
          <p className="max-w-3xl text-sm text-muted">
            A rule chooses spans as they arrive and scores them, without delaying a call. Figures are
            estimates for all traffic that the rule means, not for its sample: each score weighs as many spans
            as it stands for.
          </p>
          {answer.isPending && [0, 1].map((i) => <Skeleton key={i} className="h-52 rounded-lg" />)}
          {answer.isError && !rules && (
            <ErrorState error={answer.error} retry={() => void answer.refetch()} className="min-h-[40vh]" />
          )}
          {rules?.length === 0 && (
            <EmptyState icon={<Radar size={24} />} title="Nothing is scored yet" className="py-20">
              <p className="mb-4">
                Start with a metric that needs nothing but the answer, such as <code>json_valid</code> or{' '}
                <code>repetition</code>. You see what it says of your latest calls before you save.
              </p>
              <Button look="primary" onClick={begin}>
                <Plus size={14} aria-hidden /> New rule
              </Button>
            </EmptyState>
          )}
          {rules?.map((one) => (
            <RuleCard
              key={one.rule.name}
              one={one}
              range={range}
              perMinute={perMinute && (perMinute.get(one.rule.name) ?? 0)}
              onEdit={() => setEdited({ base: one.version, draft: draftOf(one) })}
            />
          ))}
        </div>
      </div>
      {edited && <Editor {...edited} onClose={() => setEdited(undefined)} />}
    </>
  );
}
