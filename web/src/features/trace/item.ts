import { readable } from '@/shared/chat/pair';

type Fields = Record<string, unknown>;

const place = 'signalbox.dataset';

/** Where the last item went: the next one usually goes there too. */
export const lastDataset = (): string | undefined => localStorage.getItem(place) ?? undefined;
export const rememberDataset = (name: string): void => localStorage.setItem(place, name);

export const textIn = (value: unknown): string => readable(value);

/** The item as it is saved. What was no text and is still JSON stays JSON. */
export function itemWith(item: Fields, reference: string, split: string): Fields {
  const next: Fields = { ...item };
  delete next.reference;
  if (reference.trim() !== '') next.reference = sameKind(reference, item.output);
  if (split !== '') next.split = split;
  return next;
}

function sameKind(text: string, like: unknown): unknown {
  if (typeof like !== 'object' || like === null) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
