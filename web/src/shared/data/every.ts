/** What has never come is asked for seldom: the page would change to and fro between its failure and a skeleton. */
const FAILED_MS = 30_000;

/** How often a query is asked again, as its `refetchInterval`. */
export const every =
  (ms: number) =>
  ({ state }: { state: { data: unknown; status: string } }): number =>
    state.data === undefined && state.status === 'error' ? Math.max(ms, FAILED_MS) : ms;
