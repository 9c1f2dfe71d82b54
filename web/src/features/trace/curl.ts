import type { Message, SpanDetail } from '@/api/types';
import { isPart, readable } from '@/shared/chat/pair';

type Body = Record<string, unknown>;

/** The parameters that the request of the OpenAI dialect knows by the same name. */
const parameters = new Set([
  'temperature',
  'top_p',
  'max_tokens',
  'max_completion_tokens',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'n',
  'response_format',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning_effort',
  'logprobs',
  'top_logprobs',
]);

export const canCopyAsCurl = (span: SpanDetail): boolean =>
  span.source === 'gateway' &&
  (span.kind === 'embedding'
    ? span.input !== undefined
    : span.kind === 'llm' && (span.input_messages ?? []).length > 0);

/** The call again, through the gateway. The key stays a variable: spans hold no secret. */
export function curlOf(span: SpanDetail, origin: string): string {
  const model = span.model_requested ?? span.model;
  const embedding = span.kind === 'embedding';
  const body: Body = embedding
    ? { model, input: span.input }
    : { model, messages: (span.input_messages ?? []).flatMap(messagesOf) };
  for (const [name, value] of Object.entries(span.model_parameters ?? {})) {
    if (parameters.has(name)) body[name] = value;
  }
  if (span.tools && span.tools.length > 0) {
    body.tools = span.tools.map(({ name, description, parameters: schema, strict }): unknown => ({
      type: 'function',
      function: dropAbsent({ name, description, parameters: schema ?? undefined, strict }),
    }));
  }
  if (span.streaming) body.stream = true;
  return [
    `curl ${origin}/v1/${embedding ? 'embeddings' : 'chat/completions'} \\`,
    `  -H "Authorization: Bearer $SIGNALBOX_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d ${quote(JSON.stringify(dropAbsent(body), null, 2))}`,
  ].join('\n');
}

const dropAbsent = (record: Body): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );

/** For a POSIX shell. */
export const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** One message of the conventions as the OpenAI dialect's messages: each tool result is one of its own. */
function messagesOf(message: Message): unknown[] {
  const content: unknown[] = [];
  const calls: unknown[] = [];
  const results: unknown[] = [];
  for (const part of message.parts ?? []) {
    if (isPart(part, 'text') || isPart(part, 'refusal')) content.push({ type: 'text', text: part.content });
    else if (isPart(part, 'tool_call')) {
      const args = part.arguments ?? {};
      const text = typeof args === 'string' ? args : JSON.stringify(args);
      calls.push({
        id: part.id ?? part.name,
        type: 'function',
        function: { name: part.name, arguments: text },
      });
    } else if (isPart(part, 'tool_call_response')) {
      results.push({ role: 'tool', tool_call_id: part.id ?? '', content: readable(part.response) });
    } else if (isPart(part, 'uri') && part.modality === 'image')
      content.push({ type: 'image_url', image_url: { url: part.uri } });
    else if (isPart(part, 'blob') && part.modality === 'image') {
      content.push({
        type: 'image_url',
        image_url: { url: `data:${part.mime_type ?? 'image/png'};base64,${part.content}` },
      });
    }
  }
  if (content.length === 0 && calls.length === 0) return results;
  const onlyText = content.every((one) => (one as { type: string }).type === 'text');
  const shown: unknown = onlyText
    ? content.map((one) => (one as { text: string }).text).join('\n') || null
    : content;
  const main = dropAbsent({
    role: message.role,
    name: message.name,
    content: shown,
    tool_calls: calls.length > 0 ? calls : undefined,
  });
  return [main, ...results];
}
