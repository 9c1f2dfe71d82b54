import { expect, it, vi } from 'vitest';

import { toCsv } from './csv';

// The client asks where it is; tests have no page.
vi.stubGlobal('window', { location: { origin: 'http://signalbox' } });
const { ApiError } = await import('@/api/client');
const { isCancelled, newQueryId } = await import('./run');

it('writes CSV that a spreadsheet reads and does not run', () => {
  const columns = [
    { name: 'a', type: 'text' },
    { name: 'b', type: 'float' },
  ];
  const rows = [
    ['x,"y"', -1.5],
    ['=1+1', null],
    [['t'], 2],
  ];
  expect(toCsv({ columns, rows, elapsed_ms: 1 })).toBe('a,b\r\n"x,""y""",-1.5\r\n\'=1+1,\r\n"[""t""]",2');
});

it('names each query as the API wants names', () => {
  expect(newQueryId()).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  expect(newQueryId()).not.toBe(newQueryId());
});

it('tells a query that was stopped from one that failed', () => {
  expect(isCancelled(new ApiError(499, 'cancelled', 'it was cancelled'))).toBe(true);
  expect(isCancelled(new DOMException('hung up', 'AbortError'))).toBe(true);
  expect(isCancelled(new ApiError(400, 'invalid_request', 'no such column'))).toBe(false);
  expect(isCancelled(new Error('no'))).toBe(false);
});
