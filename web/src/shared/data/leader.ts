interface Leadership {
  enabled: boolean;
  node: string;
  leads: boolean;
  leader?: string | null;
}

/** What there is to say of a node that doesn't evaluate monitors and tell people; nothing of one that does. */
export function looksOn(watch: Leadership | undefined): string | undefined {
  if (watch === undefined || watch.leads || !watch.enabled) return undefined;
  if (watch.leader === undefined || watch.leader === null || watch.leader === watch.node)
    return `No node evaluates monitors just now; one takes over within 15 s (this is ${watch.node}).`;
  return `This node (${watch.node}) looks on: ${watch.leader} evaluates monitors, tells people and takes changes.`;
}
