import { describe, expect, it } from 'vitest';

import { aboutOptions, fieldsOf, inWords, read, typedOf, withOption } from './options';

const texts = { type: 'array', items: { type: 'string' } };
const scanner = {
  name: 'tool_policy',
  options: {
    description: 'What may be called.\nAt least one.',
    properties: {
      deny: { ...texts, description: 'These may not. Example: `[delete_*, shell]`.', default: [] },
      patterns: { ...texts, description: "Expressions. Example: `['T-\\d{4,6}', x]`." },
      topics: {
        type: 'object',
        additionalProperties: texts,
        description: 'Topics.\nExample: `{politics: [election, prime minister], sports: [goal]}`.',
      },
      destructive: { type: 'boolean', description: 'Find those.', default: false },
      overlap: { type: 'number', default: 0.4000000059604645 },
      words: { type: ['integer', 'null'], default: null },
      condition: { type: 'string', description: 'One.\nExample: `a == b`.', default: '' },
      on_failure: { $ref: '#/$defs/OnFailure', description: 'What then.' },
      arguments: { type: 'array', items: { $ref: '#/$defs/Arguments' }, description: 'What they must be.' },
    },
    $defs: {
      OnFailure: { oneOf: [{ const: 'allow', description: 'It passes.' }, { const: 'block' }] },
      Arguments: { type: 'object', properties: { tool: { description: 'The tool. Example: `send_*`.' } } },
    },
  },
};

describe('the options of a scanner', () => {
  it('are fields, each as its schema says', () => {
    const fields = fieldsOf(scanner);
    expect(fields.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      'deny texts',
      'patterns texts',
      'topics topics',
      'destructive yes',
      'overlap number',
      'words number',
      'condition text',
      'on_failure choice',
      'arguments json',
    ]);
    const by = Object.fromEntries(fields.map((field) => [field.name, field]));
    expect(by.deny).toMatchObject({ about: 'These may not.', example: 'delete_*\nshell' });
    expect(by.patterns?.example).toBe('T-\\d{4,6}\nx');
    expect(by.topics?.example).toBe('politics: election, prime minister\nsports: goal');
    expect(by.overlap).toMatchObject({ preset: 0.4, whole: false });
    expect(by.words).toMatchObject({ whole: true });
    expect(by.words).not.toHaveProperty('preset');
    expect(by.condition).toEqual({ name: 'condition', kind: 'text', about: 'One.', example: 'a == b' });
    expect(by.on_failure?.choices).toEqual([
      { value: 'allow', about: 'It passes.' },
      { value: 'block', about: '' },
    ]);
    expect(by.arguments).toMatchObject({ many: true, parts: [{ name: 'tool', about: 'The tool.' }] });
    expect(JSON.parse(by.arguments?.example ?? '')).toHaveLength(2);
    expect(aboutOptions(scanner.options)).toBe('What may be called. At least one.');
  });

  it('show what a policy has beyond them, and whom a remote check may ask', () => {
    expect(fieldsOf(scanner, { bogus: 1 }).at(-1)).toMatchObject({ name: 'bogus', kind: 'json' });
    const remote = { name: 'remote', options: { properties: { service: { type: 'string' } } } };
    expect(fieldsOf(remote, {}, ['a'])).toEqual([
      { name: 'service', kind: 'choice', about: '', choices: [{ value: 'a', about: '' }] },
    ]);
  });

  it('are left out when they say nothing', () => {
    expect(withOption({ a: 1 }, 'b', ['x'])).toEqual({ a: 1, b: ['x'] });
    for (const nothing of [undefined, '', [], {}])
      expect(withOption({ a: 1, b: 2 }, 'b', nothing)).toEqual({ a: 1 });
    expect(withOption(undefined, 'no', false)).toEqual({ no: false });
    expect(withOption({}, 'none', 0)).toEqual({ none: 0 });
  });

  it('are told in words', () => {
    expect(inWords(["falcon's", 'b'])).toBe("falcon's, b");
    expect(inWords({ politics: ['election', 'vote*'], sports: ['goal'] })).toBe(
      'politics: election, vote*; sports: goal',
    );
    expect(inWords("user == 'bob'")).toBe("user == 'bob'");
    expect(inWords({ type: 'object', required: ['a'] })).toBe('{"type":"object","required":["a"]}');
    expect(inWords(true)).toBe('true');
  });

  it('are read as they are written', () => {
    const same = (kind: Parameters<typeof typedOf>[0], value: unknown) =>
      expect(read({ kind }, typedOf(kind, value))).toEqual({ value });
    same('texts', ['project falcon', 'T-\\d{4,6}']);
    same('topics', { politics: ['election', 'vote*'], sports: ['goal'] });
    same('json', { type: 'object' });
    same('text', "text.contains('zzz')");
    expect(read({ kind: 'texts' }, ' \n')).toEqual({ value: undefined });
    expect(read({ kind: 'topics' }, 'election')).toHaveProperty('problem');
    expect(read({ kind: 'json' }, '{"a":')).toHaveProperty('problem');
    expect(read({ kind: 'json', many: true }, '{}')).toEqual({ problem: 'It must be a list: […].' });
  });
});
