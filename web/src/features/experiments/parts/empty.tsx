import { FlaskConical } from 'lucide-react';

import { CodeTabs } from '@/shared/ui/code-tabs';
import { EmptyState } from '@/shared/ui/states';

const snippets = (origin: string) => [
  {
    id: 'A file of results',
    code: `signalbox eval push results.jsonl --experiment answers --url ${origin}`,
  },
  {
    id: 'curl',
    code: `RUN=$(curl -s ${origin}/api/v1/runs -H "Authorization: Bearer $SIGNALBOX_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"experiment": "answers", "name": "prompt v7", "metrics": [{"name": "faithfulness"}]}' | jq -r .id)

curl ${origin}/api/v1/runs/$RUN/items -H "Authorization: Bearer $SIGNALBOX_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"items": [{"item_id": "q-1", "input": "Where is my parcel?", "output": "In Linz.",
       "scores": {"faithfulness": {"value": 0.93, "passed": true}}}]}'

curl -X POST ${origin}/api/v1/runs/$RUN/finish -H "Authorization: Bearer $SIGNALBOX_KEY" \\
  -H "Content-Type: application/json" -d '{}'`,
  },
  {
    id: 'Python',
    code: `import os

import httpx

box = httpx.Client(
    base_url="${origin}/api/v1",
    headers={"Authorization": f"Bearer {os.environ['SIGNALBOX_KEY']}"},
)
run = box.post("/runs", json={"experiment": "answers", "metrics": [{"name": "faithfulness"}]}).json()
items = [
    {
        "item_id": "q-1",
        "input": "Where is my parcel?",
        "output": "In Linz.",
        "scores": {"faithfulness": {"value": 0.93, "passed": True}},
    },
]
box.post(f"/runs/{run['id']}/items", json={"items": items}).raise_for_status()
box.post(f"/runs/{run['id']}/finish", json={}).raise_for_status()`,
  },
];

/** No experiment yet: what one is, and how the first gets here. */
export function NoExperiments() {
  return (
    <EmptyState icon={<FlaskConical size={24} />} title="No experiments yet" className="py-14">
      <p className="mb-5">
        An experiment is the same questions, answered again and again: with another prompt, another model,
        another commit. Each run shows what its answers are worth, and whether it is better than the last one
        or only lucky.
      </p>
      <div className="w-full max-w-2xl text-left">
        <CodeTabs label="Ways to send a run" snippets={snippets(window.location.origin)} />
      </div>
    </EmptyState>
  );
}
