import { CodeTabs } from './code-tabs';

const snippets = (origin: string) => [
  {
    id: 'curl',
    code: `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer $SIGNALBOX_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "sim/small",
       "messages": [{"role": "user", "content": "Hello"}]}'`,
  },
  {
    id: 'Python',
    code: `import os

from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key=os.environ["SIGNALBOX_KEY"])
reply = client.chat.completions.create(
    model="sim/small",
    messages=[{"role": "user", "content": "Hello"}],
)
print(reply.choices[0].message.content)`,
  },
  {
    id: 'JavaScript',
    code: `import OpenAI from 'openai';

const client = new OpenAI({ baseURL: '${origin}/v1', apiKey: process.env.SIGNALBOX_KEY });
const reply = await client.chat.completions.create({
  model: 'sim/small',
  messages: [{ role: 'user', content: 'Hello' }],
});
console.log(reply.choices[0].message.content);`,
  },
  {
    id: 'OpenTelemetry',
    code: `export OTEL_EXPORTER_OTLP_ENDPOINT="${origin}"
export OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"
export OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer $SIGNALBOX_KEY"`,
  },
];

/** How the first call gets here, ready to paste, with this server's address in it. */
export function GettingStarted() {
  return (
    <div className="w-full max-w-2xl text-left">
      <CodeTabs label="Ways to send a call" snippets={snippets(window.location.origin)} />
      <p className="mt-2 text-xs text-faint">
        Only the base URL and the key change. Models that begin with <code className="font-mono">sim/</code>{' '}
        are simulated and need no provider key.
      </p>
    </div>
  );
}
