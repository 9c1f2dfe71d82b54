import { PageHeader } from '@/shared/ui/page';

import { Commands } from './parts/commands';
import { Erase } from './parts/erase';
import { Erasures } from './parts/erasures';
import { Running } from './parts/running';
import { Store, StoreBadge } from './parts/store';

export function DataPage() {
  return (
    <>
      <title>Data · Signalbox</title>
      <PageHeader title="Data">
        <StoreBadge />
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-[1720px] flex-col gap-3 p-5">
          <Store />
          <div className="grid items-start gap-3 xl:grid-cols-5">
            <div className="flex min-w-0 flex-col gap-3 xl:col-span-3">
              <Running />
              <Erasures />
            </div>
            <div className="flex min-w-0 flex-col gap-3 xl:col-span-2">
              <Erase />
              <Commands />
            </div>
          </div>
        </div>
      </div>
    </>
  );
}
