/** The search part of the URL as plain text values: `?from=now-1h&f=status:is:error&f=…`, no JSON. */
export type RawSearch = Record<string, string | string[] | undefined>;

export function parseSearch(text: string): RawSearch {
  const search: RawSearch = {};
  for (const [key, value] of new URLSearchParams(text)) {
    const before = search[key];
    search[key] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  return search;
}

export function stringifySearch(search: Record<string, unknown>): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'string' || typeof one === 'number') params.append(key, String(one));
    }
  }
  // These are allowed in a query, and a person can read them.
  const text = params.toString().replace(/%3A/g, ':').replace(/%7C/g, '|').replace(/%2C/g, ',');
  return text && `?${text}`;
}

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
