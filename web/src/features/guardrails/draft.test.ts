import { describe, expect, it } from 'vitest';

import type { Policy } from '@/api/types';

import { compare, firstOptions, hintOfServices, indexOf, linesOfDraft, listOf, tidy, whyNot } from './draft';

describe('policies as text', () => {
  it('reads like the configuration', () => {
    const options = { words: ['a b', '7', 'x: y'], nested: [{ tool: 'a' }] } as unknown as Policy['options'];
    const policies: Policy[] = [{ scanner: 'words', on: ['input'], options }];
    expect(linesOfDraft({ policies, exceptions: [] })).toEqual([
      'policies:',
      '  - scanner: words',
      '    on: [input]',
      '    options:',
      '      words: [a b, "7", "x: y"]',
      '      nested:',
      '        - tool: a',
    ]);
    expect(linesOfDraft({ policies: [], exceptions: [] })).toEqual([]);
  });

  it('says what changes, and only that', () => {
    const told = compare(['a', 'b', 'c'], ['a', 'x', 'c', 'd']).map(({ kind, text }) => `${kind} ${text}`);
    expect(told).toEqual(['same a', 'removed b', 'added x', 'same c', 'added d']);
    expect(compare([], [])).toEqual([]);
  });

  it('leaves out what says nothing', () => {
    expect(
      tidy({ scanner: 'pii', rules: [], name: '', shadow: false, options: {}, min_confidence: 0 }),
    ).toEqual({
      scanner: 'pii',
      min_confidence: 0,
    });
    expect(listOf(' a, ,b c ,')).toEqual(['a', 'b c']);
  });

  it('says whom a remote check may ask, and begins with the first', () => {
    expect(firstOptions('remote', ['a', 'b'])).toEqual({ service: 'a' });
    expect(firstOptions('words', ['a'])).toBeUndefined();
    expect(firstOptions('remote', [])).toBeUndefined();
    expect(hintOfServices(['a', 'b'])).toContain('a, b.');
    expect(hintOfServices([])).toContain('guard.services');
  });

  it('says why it is not saved', () => {
    const fine = {
      isSame: false,
      rationale: 'Tests',
      isRefused: false,
      edited: [{ policy: { scanner: 'words' }, unread: {} }],
    };
    expect(whyNot(fine)).toBeUndefined();
    expect(whyNot({ ...fine, isSame: true })).toBe('Nothing changes yet.');
    expect(whyNot({ ...fine, rationale: ' ' })).toContain('Say why');
    expect(whyNot({ ...fine, isRefused: true, isSame: true })).toContain('It would be refused');
    const edited = [{ policy: { scanner: 'json_schema' }, unread: { schema: '{' } }];
    expect(whyNot({ ...fine, edited, isRefused: true })).toBe(
      "What is typed for `schema` of `json_schema` can't be read yet.",
    );
    expect(indexOf('policies[12].options.schema')).toBe(12);
    expect(indexOf('exceptions[1]')).toBeUndefined();
  });
});
