import type { KnownPart, Message, Part, SpanDetail, ToolCallPart, ToolResponsePart } from '@/api/types';

export const isPart = <T extends KnownPart['type']>(
  part: Part,
  type: T,
): part is Extract<KnownPart, { type: T }> => part.type === type;

export interface Turn {
  message: Message;
  parts: PairedPart[];
  /** Which of the messages it is, and the last one that has a result in it. */
  at: number;
  upTo: number;
}
export type PairedPart =
  { kind: 'call'; call: ToolCallPart; result?: ToolResponsePart } | { kind: 'part'; part: Part };

/**
 * Messages as they are read: each tool call with its result under it. A result moves to the last
 * call before it of its id; a tool message that is left empty is dropped.
 */
export function pairTools(messages: Message[]): Turn[] {
  const open = new Map<string, { call: Extract<PairedPart, { kind: 'call' }>; turn: Turn }>();
  const turns: Turn[] = [];
  for (const [at, message] of messages.entries()) {
    const parts: PairedPart[] = [];
    const turn: Turn = { message, parts, at, upTo: at };
    for (const part of message.parts ?? []) {
      if (isPart(part, 'tool_call')) {
        const paired: Extract<PairedPart, { kind: 'call' }> = { kind: 'call', call: part };
        parts.push(paired);
        if (part.id) open.set(part.id, { call: paired, turn });
        continue;
      }
      const asked = isPart(part, 'tool_call_response') && part.id ? open.get(part.id) : undefined;
      if (asked && !asked.call.result) {
        asked.call.result = part as ToolResponsePart;
        asked.turn.upTo = at;
      } else parts.push({ kind: 'part', part });
    }
    if (parts.length > 0 || (message.parts ?? []).length === 0) turns.push(turn);
  }
  return turns;
}

/**
 * How many of the first turns have nothing new where so many of the first messages are known. A known call
 * whose result is new counts as new: the one is not read without the other.
 */
export function knownTurns(turns: Turn[], known: number): number {
  const first = turns.findIndex((turn) => turn.upTo >= known);
  return first < 0 ? turns.length : first;
}

/** How many of the first input messages earlier calls had said already. Spans stored long ago don't say. */
export function knownOf(span: SpanDetail): number {
  return Math.min(span.input_messages_known ?? 0, span.input_messages?.length ?? 0);
}

/** What a person would read of a value: text as it is, JSON indented. */
export function readable(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** Text that is JSON, as JSON: tools often answer so. */
export function parseJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (!/^[[{]/.test(text)) return value;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return value;
  }
}

export interface Document {
  text: string;
  score?: number;
  id?: string;
  metadata?: unknown;
}

/** Documents that a retriever found, whatever the framework calls their text; `undefined` if it is no such list. */
export function documentsOf(output: unknown): Document[] | undefined {
  const value = parseJson(output);
  const list: unknown[] | undefined = Array.isArray(value)
    ? value
    : isRecord(value) && Array.isArray(value.documents)
      ? value.documents
      : undefined;
  if (!list || list.length === 0) return undefined;
  const documents = list.map((item): Document | undefined => {
    const entry = isRecord(item) && isRecord(item.document) ? { ...item, ...item.document } : item;
    if (!isRecord(entry)) return undefined;
    const text = entry.content ?? entry.text ?? entry.page_content;
    if (typeof text !== 'string') return undefined;
    const score = typeof entry.score === 'number' ? entry.score : undefined;
    const id = typeof entry.id === 'string' ? entry.id : undefined;
    return { text, score, id, metadata: entry.metadata };
  });
  return documents.every((one) => one !== undefined) ? documents : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
