import { expect, it } from 'vitest';

import { looksOn } from './leader';

it('says who evaluates where this node does not', () => {
  const node = { enabled: true, node: 'box-1', leads: false };
  expect(looksOn(undefined)).toBeUndefined();
  expect(looksOn({ ...node, leads: true, leader: 'box-1' })).toBeUndefined();
  expect(looksOn({ ...node, enabled: false })).toBeUndefined();
  expect(looksOn({ ...node, leader: 'box-2' })).toBe(
    'This node (box-1) looks on: box-2 evaluates monitors, tells people and takes changes.',
  );
  expect(looksOn(node)).toContain('No node evaluates monitors just now');
  expect(looksOn({ ...node, leader: 'box-1' })).toContain('No node evaluates monitors just now');
});
