import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';

import { isSignedOut } from '@/api/client';
import { readCompareSearch } from '@/shared/url/compare-search';
import { NotFoundPage } from '@/features/not-found/page';
import { sessionQuery } from '@/shared/data/query';
import { readDatasetSearch } from '@/shared/url/dataset-search';
import { readRangeSearch, readTraceSearch, readTracesSearch } from '@/shared/url/range-search';
import { parseSearch, stringifySearch, textOf } from '@/shared/url/search';

import { PageError, PagePending } from './page-states';
import { Shell } from './shell';

const root = createRootRouteWithContext<{ queryClient: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (raw: Record<string, unknown>): { next?: string } => ({ next: textOf(raw.next) }),
  component: lazyRouteComponent(() => import('@/features/sign-in/page'), 'SignInPage'),
});

/** Everything that needs somebody signed in. */
const house = createRoute({
  getParentRoute: () => root,
  id: 'house',
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queryClient.query({ ...sessionQuery, staleTime: 'static' });
    } catch (error) {
      if (isSignedOut(error)) throw redirect({ to: '/sign-in', search: { next: location.href } });
      throw error;
    }
  },
  component: Shell,
});

const overview = createRoute({
  getParentRoute: () => house,
  path: '/',
  validateSearch: readRangeSearch,
  component: lazyRouteComponent(() => import('@/features/overview/page'), 'OverviewPage'),
});

const traces = createRoute({
  getParentRoute: () => house,
  path: '/traces',
  validateSearch: readTracesSearch,
  component: lazyRouteComponent(() => import('@/features/traces/page'), 'TracesPage'),
});

const trace = createRoute({
  getParentRoute: () => house,
  path: '/traces/$traceId',
  validateSearch: readTraceSearch,
  component: lazyRouteComponent(() => import('@/features/trace/page'), 'TracePage'),
});

const guardrails = createRoute({
  getParentRoute: () => house,
  path: '/guardrails',
  validateSearch: readRangeSearch,
  component: lazyRouteComponent(() => import('@/features/guardrails/page'), 'GuardrailsPage'),
});

const incidents = createRoute({
  getParentRoute: () => house,
  path: '/incidents',
  validateSearch: (raw: Record<string, unknown>): { show?: 'all'; id?: string } => ({
    show: raw.show === 'all' ? 'all' : undefined,
    id: textOf(raw.id),
  }),
  component: lazyRouteComponent(() => import('@/features/incidents/page'), 'IncidentsPage'),
});

const monitors = createRoute({
  getParentRoute: () => house,
  path: '/monitors',
  validateSearch: (raw: Record<string, unknown>): { name?: string } => ({ name: textOf(raw.name) }),
  component: lazyRouteComponent(() => import('@/features/monitors/page'), 'MonitorsPage'),
});

const alerting = createRoute({
  getParentRoute: () => house,
  path: '/alerting',
  component: lazyRouteComponent(() => import('@/features/alerting/page'), 'AlertingPage'),
});

const objectives = createRoute({
  getParentRoute: () => house,
  path: '/objectives',
  validateSearch: (raw: Record<string, unknown>): { name?: string } => ({ name: textOf(raw.name) }),
  component: lazyRouteComponent(() => import('@/features/objectives/page'), 'ObjectivesPage'),
});

const drift = createRoute({
  getParentRoute: () => house,
  path: '/drift',
  validateSearch: (raw: Record<string, unknown>): { name?: string } => ({ name: textOf(raw.name) }),
  component: lazyRouteComponent(() => import('@/features/drift/page'), 'DriftPage'),
});

const query = createRoute({
  getParentRoute: () => house,
  path: '/query',
  component: lazyRouteComponent(() => import('@/features/query/page'), 'QueryPage'),
});

const experiments = createRoute({
  getParentRoute: () => house,
  path: '/experiments',
  component: lazyRouteComponent(() => import('@/features/experiments/page'), 'ExperimentsPage'),
});

const experiment = createRoute({
  getParentRoute: () => house,
  path: '/experiments/$name',
  component: lazyRouteComponent(() => import('@/features/experiments/detail'), 'ExperimentPage'),
});

const compare = createRoute({
  getParentRoute: () => house,
  path: '/experiments/$name/compare',
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import('@/features/experiments/compare'), 'ComparePage'),
});

const metrics = createRoute({
  getParentRoute: () => house,
  path: '/metrics-catalogue',
  validateSearch: (raw: Record<string, unknown>): { q?: string; metric?: string } => ({
    q: textOf(raw.q),
    metric: textOf(raw.metric),
  }),
  component: lazyRouteComponent(() => import('@/features/metrics/page'), 'MetricsPage'),
});

const datasets = createRoute({
  getParentRoute: () => house,
  path: '/datasets',
  component: lazyRouteComponent(() => import('@/features/datasets/page'), 'DatasetsPage'),
});

const dataset = createRoute({
  getParentRoute: () => house,
  path: '/datasets/$name',
  validateSearch: readDatasetSearch,
  component: lazyRouteComponent(() => import('@/features/datasets/dataset'), 'DatasetPage'),
});

const online = createRoute({
  getParentRoute: () => house,
  path: '/online',
  validateSearch: readRangeSearch,
  component: lazyRouteComponent(() => import('@/features/online/page'), 'OnlinePage'),
});

const routes = createRoute({
  getParentRoute: () => house,
  path: '/routes',
  component: lazyRouteComponent(() => import('@/features/routes/page'), 'RoutesPage'),
});

const providers = createRoute({
  getParentRoute: () => house,
  path: '/providers',
  component: lazyRouteComponent(() => import('@/features/providers/page'), 'ProvidersPage'),
});

const keys = createRoute({
  getParentRoute: () => house,
  path: '/keys',
  component: lazyRouteComponent(() => import('@/features/keys/page'), 'KeysPage'),
});

const data = createRoute({
  getParentRoute: () => house,
  path: '/data',
  component: lazyRouteComponent(() => import('@/features/data/page'), 'DataPage'),
});

export const makeRouter = (queryClient: QueryClient) =>
  createRouter({
    routeTree: root.addChildren([
      signIn,
      house.addChildren([
        overview,
        traces,
        trace,
        guardrails,
        online,
        experiments,
        experiment,
        compare,
        metrics,
        datasets,
        dataset,
        incidents,
        monitors,
        alerting,
        objectives,
        drift,
        query,
        routes,
        providers,
        keys,
        data,
      ]),
    ]),
    context: { queryClient },
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPendingComponent: PagePending,
    defaultErrorComponent: PageError,
    defaultNotFoundComponent: NotFoundPage,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
