import {
  ArrowDownWideNarrow,
  Bot,
  Box,
  Braces,
  BrainCircuit,
  CircleDot,
  FileSearch,
  Gauge,
  Link2,
  ListChecks,
  type LucideIcon,
  MessageSquareText,
  Minus,
  Plug,
  ShieldCheck,
  SquareCheck,
  Workflow,
  Wrench,
} from 'lucide-react';

interface Kind {
  label: string;
  icon: LucideIcon;
  color: string;
}

/** How each kind of span looks. Sorted by name. */
const kinds: Record<string, Kind> = {
  agent: { label: 'Agent', icon: Bot, color: 'var(--kind-agent)' },
  chain: { label: 'Chain', icon: Link2, color: 'var(--kind-chain)' },
  embedding: { label: 'Embedding', icon: Box, color: 'var(--kind-embedding)' },
  evaluator: { label: 'Evaluator', icon: Gauge, color: 'var(--kind-evaluator)' },
  event: { label: 'Event', icon: CircleDot, color: 'var(--kind-chain)' },
  guardrail: { label: 'Guardrail', icon: ShieldCheck, color: 'var(--kind-guardrail)' },
  llm: { label: 'LLM', icon: MessageSquareText, color: 'var(--kind-llm)' },
  mcp: { label: 'MCP', icon: Plug, color: 'var(--kind-mcp)' },
  memory: { label: 'Memory', icon: BrainCircuit, color: 'var(--kind-memory)' },
  plan: { label: 'Plan', icon: ListChecks, color: 'var(--kind-agent)' },
  prompt: { label: 'Prompt', icon: Braces, color: 'var(--kind-memory)' },
  reranker: { label: 'Reranker', icon: ArrowDownWideNarrow, color: 'var(--kind-reranker)' },
  retriever: { label: 'Retriever', icon: FileSearch, color: 'var(--kind-retriever)' },
  span: { label: 'Span', icon: Minus, color: 'var(--kind-chain)' },
  task: { label: 'Task', icon: SquareCheck, color: 'var(--kind-chain)' },
  tool: { label: 'Tool', icon: Wrench, color: 'var(--kind-tool)' },
  workflow: { label: 'Workflow', icon: Workflow, color: 'var(--kind-chain)' },
};

const other: Kind = { label: 'Span', icon: Minus, color: 'var(--kind-chain)' };

export const kindOf = (kind: string): Kind => kinds[kind] ?? { ...other, label: kind || other.label };
