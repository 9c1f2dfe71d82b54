import { expect, it } from 'vitest';

import { pieces } from './coded';

it('shows values of columns as code', () => {
  expect(pieces('`provider=azure`: 84 % of failed calls')).toEqual([
    { text: 'provider=azure', code: true },
    { text: ': 84 % of failed calls', code: false },
  ]);
  expect(pieces('no code')).toEqual([{ text: 'no code', code: false }]);
});
