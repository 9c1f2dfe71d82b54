import type { Policy, PolicyException } from '@/api/types';

/** What is edited: all policies and exceptions of a project, and the version that they come from. */
export interface Draft {
  version: number;
  policies: Policy[];
  exceptions: PolicyException[];
}

/** One line of a comparison. */
export interface Line {
  kind: 'same' | 'added' | 'removed';
  text: string;
}

const plainWord = /^[A-Za-z_][\w ./-]*$/;
const meansSomethingElse = /^(true|false|null|yes|no|on|off|~)$/i;

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const plain = plainWord.test(value) && !meansSomethingElse.test(value) && !value.endsWith(' ');
  return plain ? value : JSON.stringify(value);
}

const isShort = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** YAML as it would stand in the configuration, for people to read and compare. */
export function yamlOf(value: unknown, indent = ''): string[] {
  if (Array.isArray(value)) {
    if (value.every(isShort)) return [`${indent}[${value.map(scalar).join(', ')}]`];
    return value.flatMap((item) => {
      const [first = '', ...rest] = yamlOf(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar(value)}`];
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  if (fields.length === 0) return [`${indent}{}`];
  return fields.flatMap(([name, field]) => {
    const key = `${indent}${plainWord.test(name) ? name : JSON.stringify(name)}:`;
    if (isShort(field) || (Array.isArray(field) && field.every(isShort)))
      return [`${key} ${yamlOf(field).join('')}`];
    return [key, ...yamlOf(field, `${indent}  `)];
  });
}

/** The draft as lines of YAML. */
export function linesOfDraft({ policies, exceptions }: Pick<Draft, 'policies' | 'exceptions'>): string[] {
  return [
    ...(policies.length > 0 ? ['policies:', ...yamlOf(policies, '  ')] : []),
    ...(exceptions.length > 0 ? ['exceptions:', ...yamlOf(exceptions, '  ')] : []),
  ];
}

/** What changes from one list of lines to the other: the longest common lines stay. */
export function compare(before: string[], after: string[]): Line[] {
  const rows = before.length + 1;
  const columns = after.length + 1;
  const longest = Array.from({ length: rows }, () => new Uint16Array(columns));
  for (let i = rows - 2; i >= 0; i--) {
    for (let j = columns - 2; j >= 0; j--) {
      const [here, below] = [longest[i], longest[i + 1]];
      if (!here || !below) continue;
      here[j] = before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, here[j + 1] ?? 0);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [one, other] = [before[i], after[j]];
    if (one !== undefined && one === other) {
      lines.push({ kind: 'same', text: one });
      i++;
      j++;
    } else if (
      one !== undefined &&
      (other === undefined || (longest[i + 1]?.[j] ?? 0) >= (longest[i]?.[j + 1] ?? 0))
    ) {
      lines.push({ kind: 'removed', text: one });
      i++;
    } else {
      lines.push({ kind: 'added', text: other ?? '' });
      j++;
    }
  }
  return lines;
}

/** Without fields that say nothing. */
export function tidy(policy: Policy): Policy {
  const says = (value: unknown): boolean =>
    value !== undefined &&
    value !== '' &&
    value !== false &&
    !(Array.isArray(value) && value.length === 0) &&
    !(typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => says(value))) as Policy;
}

/** The entries of a list that is typed with commas. */
export const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

/** What a new policy begins with: `remote` asks somebody, and only those of the configuration can be asked. */
export const firstOptions = (scanner: string, services: string[]): Record<string, unknown> | undefined =>
  scanner === 'remote' && services[0] !== undefined ? { service: services[0] } : undefined;

/** Whom `remote` may ask. */
export const hintOfServices = (services: string[]): string =>
  services.length === 0
    ? 'Nobody can be asked yet: add `guard.services` to signalbox.yaml.'
    : `Services of signalbox.yaml: ${services.join(', ')}.`;

/** What is typed for options and can't be read yet, by the option's name. */
export type Unread = Record<string, string>;

/** One policy of the draft while it is edited. */
export interface Edited {
  policy: Policy;
  unread: Unread;
}

/** Which policy of the draft a field of the API's is about: `policies[2].options.schema`. */
export function indexOf(field: string | undefined): number | undefined {
  const index = /^policies\[(\d+)\]/.exec(field ?? '')?.[1];
  return index === undefined ? undefined : Number(index);
}

/** Why a draft can't be saved; nothing if it can. */
export function whyNot({
  isSame,
  rationale,
  edited,
  isRefused,
}: {
  isSame: boolean;
  rationale: string;
  edited: Edited[];
  /** The server has something against it; the trial shows what. */
  isRefused: boolean;
}): string | undefined {
  const halfTyped = edited.find(({ unread }) => Object.keys(unread).length > 0);
  if (halfTyped) {
    const names = Object.keys(halfTyped.unread).map((name) => `\`${name}\``);
    return `What is typed for ${names.join(', ')} of \`${halfTyped.policy.scanner}\` can't be read yet.`;
  }
  if (isRefused) return 'It would be refused: “Try the draft” says why.';
  if (isSame) return 'Nothing changes yet.';
  return rationale.trim() === '' ? 'Say why: it stands in the history.' : undefined;
}
