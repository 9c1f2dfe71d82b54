import { expect, it } from 'vitest';

import { kinds, labelOf, problemOf, reachOf, sayErased, targetOf } from './erasure';

const [user, session, trace] = kinds;

it('asks for an id, and for one of a trace in full', () => {
  expect(problemOf(targetOf(user, ' user-4711 '))).toBeUndefined();
  expect(problemOf(targetOf(session, '  '))).toBe('Expected the id of a session.');
  expect(problemOf(targetOf(trace, '4BF92F3577B34DA6A3CE929D0E0E4736'))).toBeUndefined();
  expect(problemOf(targetOf(trace, '4bf9'))).toContain('32 hexadecimal digits');
});

it('writes ids as the store has them', () => {
  expect(targetOf(trace, ' 4BF92F35 ').value).toBe('4bf92f35');
  expect(targetOf(user, ' Ann ').value).toBe('Ann');
});

it('counts all there is of it, whenever it was', () => {
  const query = reachOf(targetOf(session, 's-1'));
  expect(query.filter).toEqual({ field: 'session_id', op: '=', value: 's-1' });
  expect(query.time).toEqual({ from: '1970-01-01T00:00:00Z', to: 'now' });
});

it('says what was erased', () => {
  const erased = { spans: 1_204, other_rows: 1, files: 2, complete: true };
  expect(sayErased(erased)).toBe('1,204 spans and 1 other row are gone; 2 files were written anew.');
  expect(sayErased({ ...erased, files: 1 })).toContain('1 file was written anew');
  expect(sayErased({ spans: 0, other_rows: 0, files: 0, complete: true })).toBe('Nothing of it was stored.');
});

it('shows a kind that it does not know as it is called', () => {
  expect(labelOf('trace_id')).toBe('Trace');
  expect(labelOf('release')).toBe('release');
});
