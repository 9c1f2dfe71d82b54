import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';

import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { isLive, type Range, readRange } from '@/shared/time/range';
import { RangePicker } from '@/shared/time/range-picker';
import { IconButton } from '@/shared/ui/button';
import { PageHeader } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';
import { chipIs, readChips, writeChips } from '@/shared/url/filters';

import { ByScanner, Feed } from './parts/findings';
import { FeedbackCard } from './parts/feedback';
import { OverTime } from './parts/over-time';
import { Policies } from './parts/policies';
import { Rates } from './parts/rates';
import { Try } from './parts/try';
import { guardrailsQuery } from './queries';
import { questionsFor } from './questions';

const route = getRouteApi('/house/guardrails');
const refreshMs = 10_000;

const column = 'flex min-w-0 flex-col gap-3 max-xl:contents';

export function GuardrailsPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const guardrails = useQuery(guardrailsQuery);
  const range = readRange(search);
  const chip = readChips(search.f).find(({ field }) => field === 'scanner');
  const picked = typeof chip?.value === 'string' ? chip.value : undefined;
  const questions = questionsFor(range, picked);
  const refetchInterval = isLive(range) ? refreshMs : (false as const);
  const setRange = (next: Range): void =>
    void navigate({ to: '/guardrails', search: { ...search, ...next } });
  const pick = (scanner?: string): void =>
    void navigate({
      to: '/guardrails',
      search: { ...search, f: writeChips(scanner === undefined ? [] : [chipIs('scanner', scanner)]) },
    });
  const refresh = (): void => {
    void guardrails.refetch();
    void client.invalidateQueries({ queryKey: ['query'] });
  };
  useShortcuts([{ keys: 'r', label: 'Refresh', group: 'Guardrails', run: refresh }]);
  const feed = { refetchInterval, picked, onPick: pick };
  const zoom = (from: number, to: number): void =>
    setRange({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  return (
    <>
      <title>Guardrails · Signalbox</title>
      <PageHeader title="Guardrails">
        <RangePicker range={range} onChange={setRange} />
        <IconButton label="Refresh (r)" onClick={refresh}>
          <RotateCw size={15} aria-hidden />
        </IconButton>
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-[1720px] flex-col gap-3 p-5">
          {guardrails.isPending && <Skeleton className="h-72 rounded-lg" />}
          {guardrails.isError && !guardrails.data && (
            <ErrorState error={guardrails.error} retry={() => void guardrails.refetch()} />
          )}
          {/* Two columns that are as long as what is in them; one below the other where there is room for one only. */}
          <div className="grid items-start gap-3 xl:grid-cols-2">
            <div className={column}>
              <div className="order-1 min-w-0 empty:hidden">
                {guardrails.data && <Try guardrails={guardrails.data} />}
              </div>
              <div className="order-3 min-w-0">
                <OverTime
                  query={questions.overTime}
                  range={range}
                  refetchInterval={refetchInterval}
                  onZoom={zoom}
                />
              </div>
              <div className="order-6 min-w-0">
                <FeedbackCard />
              </div>
            </div>
            <div className={column}>
              <div className="order-2 min-w-0 empty:hidden">
                {guardrails.data && <Policies guardrails={guardrails.data} />}
              </div>
              <div className="order-4 min-w-0">
                <ByScanner query={questions.byScanner} {...feed} />
              </div>
              <div className="order-5 min-w-0">
                <Rates range={range} refetchInterval={refetchInterval} onZoom={zoom} />
              </div>
            </div>
          </div>
          <Feed query={questions.recent} {...feed} />
        </div>
      </div>
    </>
  );
}
