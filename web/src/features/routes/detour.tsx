import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Signpost, Undo2 } from 'lucide-react';

import { api, call } from '@/api/client';
import type { RouteStatus } from '@/api/types';
import { exactTime } from '@/shared/time/format';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';

import { detourOf } from './state';

const times = ({ since, until }: NonNullable<RouteStatus['detour']>): string =>
  `Since ${exactTime(since)}${until ? `\nUntil ${exactTime(until)}` : ''}`;

/** Where the calls of a route go for a while, why, and a button that ends it. */
export function Detour({ route }: { route: RouteStatus }) {
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: () =>
      call(api.DELETE('/api/v1/routes/{name}/detour', { params: { path: { name: route.name } } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['routes'] }),
  });
  const { detour } = route;
  if (!detour) return null;
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-x-3 gap-y-1.5 border-t border-line bg-warn-soft px-4 py-2 text-sm text-warn"
    >
      <Signpost size={14} className="shrink-0" aria-hidden />
      <span className="min-w-0 flex-1 break-words" title={times(detour)}>
        <Coded text={detourOf(detour)} />{' '}
        {detour.incident && (
          <Link to="/incidents" search={{ show: 'all', id: detour.incident }} className="underline">
            Incident
          </Link>
        )}
        {route.detour_problem && (
          <span className="block text-error">They don’t go there: {route.detour_problem}</span>
        )}
        {end.isError && <span className="block text-error">{end.error.message}</span>}
      </span>
      <Button size="sm" disabled={end.isPending} onClick={() => end.mutate()}>
        <Undo2 size={12} aria-hidden /> Switch back
      </Button>
    </div>
  );
}
