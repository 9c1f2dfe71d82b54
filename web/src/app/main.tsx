import '@/shared/styles/index.css';

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { ApiError, isSignedOut } from '@/api/client';
import { sessionQuery } from '@/shared/data/query';

import { makeRouter } from './routes';

/** The session ended while somebody worked: sign in, and come back to the same place. */
function onError(error: unknown): void {
  const { pathname } = router.state.location;
  if (!isSignedOut(error) || pathname === '/sign-in') return;
  queryClient.removeQueries({ queryKey: sessionQuery.queryKey });
  void router.navigate({ to: '/sign-in', search: { next: router.state.location.href } });
}

const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => query.queryKey[0] !== 'session' && onError(error),
  }),
  mutationCache: new MutationCache({ onError: (error) => onError(error) }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A wrong request stays wrong; what may pass is tried again.
      retry: (count, error) =>
        count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      refetchOnWindowFocus: true,
    },
  },
});

const router = makeRouter(queryClient);

const element = document.getElementById('root');
if (element) {
  createRoot(element).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
