import type { SpanSummary } from '@/api/types';

export interface Node {
  span: SpanSummary;
  depth: number;
  children: Node[];
  /** Of the span and all under it; absent = nothing known. */
  cost?: number;
  tokens?: number;
  /** How many spans are under it. */
  below: number;
  errorsBelow: number;
}

const startOf = (span: SpanSummary): number => Date.parse(span.start_time);

/**
 * The forest of a trace. A span whose parent is not there (not sent, or not yet) is a root; so is the
 * earliest of a ring. No recursion: a chain of ten thousand spans must not overflow the stack.
 */
export function buildForest(spans: SpanSummary[]): Node[] {
  const nodes = new Map(
    spans.map((span): [string, Node] => [
      span.span_id,
      { span, depth: 0, children: [], below: 0, errorsBelow: 0 },
    ]),
  );
  const parentOf = ({ span }: Node): Node | undefined => nodes.get(span.parent_span_id ?? '');
  const sorted = [...nodes.values()].sort((a, b) => startOf(a.span) - startOf(b.span));
  for (const node of sorted) parentOf(node)?.children.push(node);
  const roots = sorted.filter((node) => !parentOf(node));
  const order = walk(roots);
  const reached = new Set(order);
  for (const node of sorted) {
    if (reached.has(node)) continue;
    const parent = parentOf(node);
    if (parent) parent.children = parent.children.filter((child) => child !== node);
    roots.push(node);
    for (const one of walk([node])) {
      order.push(one);
      reached.add(one);
    }
  }
  for (const node of order.reverse()) addUp(node);
  return roots;
}

/** Every node, parents first; sets the depth. */
function walk(roots: Node[]): Node[] {
  const order: Node[] = [];
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const node = stack.pop();
    if (!node) break;
    order.push(node);
    for (const child of [...node.children].reverse()) {
      child.depth = node.depth + 1;
      stack.push(child);
    }
  }
  return order;
}

function addUp(node: Node): void {
  const sum = (a: number | undefined, b: number | null | undefined): number | undefined =>
    b === null || b === undefined ? a : (a ?? 0) + b;
  node.cost = sum(undefined, node.span.cost);
  node.tokens = sum(undefined, node.span.total_tokens);
  for (const child of node.children) {
    node.cost = sum(node.cost, child.cost);
    node.tokens = sum(node.tokens, child.tokens);
    node.below += child.below + 1;
    node.errorsBelow += child.errorsBelow + (child.span.status === 'error' ? 1 : 0);
  }
}

/** The rows to show: nothing under a collapsed node; with a search, the hits and what leads to them. */
export function visibleRows(roots: Node[], collapsed: ReadonlySet<string>, search = ''): Node[] {
  const wanted = search.trim().toLowerCase();
  const order = walk(roots);
  const kept = wanted === '' ? undefined : keepHits(order, wanted);
  const rows: Node[] = [];
  let hiddenBelow = Infinity;
  for (const node of order) {
    if (node.depth > hiddenBelow) continue;
    hiddenBelow = Infinity;
    if (kept && !kept.has(node)) continue;
    rows.push(node);
    if (!kept && collapsed.has(node.span.span_id)) hiddenBelow = node.depth;
  }
  return rows;
}

function keepHits(order: Node[], wanted: string): Set<Node> {
  const kept = new Set<Node>();
  for (const node of [...order].reverse()) {
    if (isHit(node, wanted) || node.children.some((child) => kept.has(child))) kept.add(node);
  }
  return kept;
}

export function isHit({ span }: Node, wanted: string): boolean {
  const texts = [
    span.name,
    span.kind,
    span.model,
    span.tool_name,
    span.agent_name,
    span.preview,
    span.error_type,
    span.span_id,
  ];
  return texts.some((text) => text?.toLowerCase().includes(wanted));
}

export interface Extent {
  from: number;
  to: number;
}

/** From the first start to the last end. */
export function extentOf(spans: SpanSummary[]): Extent {
  let [from, to] = [Infinity, -Infinity];
  for (const span of spans) {
    from = Math.min(from, startOf(span));
    to = Math.max(to, startOf(span) + span.duration_ms);
  }
  return from <= to ? { from, to: Math.max(to, from + 0.001) } : { from: 0, to: 1 };
}

/** Where the bar of a span lies, in percent of the trace; the first-token mark in percent of the bar. */
export function barOf(
  span: SpanSummary,
  { from, to }: Extent,
): { left: number; width: number; firstToken?: number } {
  const share = (ms: number): number => (ms / (to - from)) * 100;
  const left = Math.min(100, Math.max(0, share(startOf(span) - from)));
  const width = Math.min(100 - left, share(span.duration_ms));
  const first =
    typeof span.ttft_ms === 'number' && span.duration_ms > 0
      ? (span.ttft_ms / span.duration_ms) * 100
      : undefined;
  return { left, width, firstToken: first !== undefined && first <= 100 ? first : undefined };
}

/** Round marks of a scale that begins at 0. */
export function scaleMarks(totalMs: number, most = 5): number[] {
  const rough = totalMs / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.floor(totalMs / step) + 1 }, (_, i) => i * step);
}

/** The span to open first: the one that failed deepest, or else the first call of a model, or the root. */
export function spanToOpen(roots: Node[]): string | undefined {
  const order = walk(roots);
  const failed = order.filter((node) => node.span.status === 'error' && node.errorsBelow === 0);
  const first = failed[0] ?? order.find((node) => node.span.kind === 'llm') ?? order[0];
  return first?.span.span_id;
}
