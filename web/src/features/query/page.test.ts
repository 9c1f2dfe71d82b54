import { expect, it } from 'vitest';

import { toCsv } from './csv';

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
