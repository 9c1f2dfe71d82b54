import type { Provider, RouteStatus, TargetStatus } from '@/api/types';
import { formatDuration, formatShare } from '@/shared/format/numbers';
import { formatTime } from '@/shared/time/format';

export interface State {
  kind: 'up' | 'trying' | 'left' | 'off';
  label: string;
  why?: string;
}

/** From which share of failures on a target that still gets calls is no longer well. */
const MANY = 0.2;

/** Whether a target gets calls, and if not, why. */
export function stateOf(target: TargetStatus): State {
  if (target.off) return { kind: 'off', label: 'off', why: target.off };
  const error = target.last_error ? ` with ${target.last_error}` : '';
  if (target.breaker === 'open') {
    // Its wait is over and a call is on its way there: all others wait for what that one finds.
    if (target.left_alone_ms === undefined)
      return { kind: 'trying', label: 'being tried', why: `It failed${error}; a call tries it now.` };
    const wait = `asked again in ${formatDuration(target.left_alone_ms)}`;
    return { kind: 'left', label: 'left alone', why: `It failed${error}; ${wait}.` };
  }
  if (target.breaker === 'probing')
    return { kind: 'trying', label: 'next call tries it', why: `It failed${error}; no call tried it since.` };
  if (target.breaker === 'resting') {
    const wait =
      target.left_alone_ms === undefined ? '' : ` for ${formatDuration(target.left_alone_ms)} more`;
    return { kind: 'trying', label: 'slowed down', why: `It asked to slow down${wait}.` };
  }
  if (target.unwell)
    return { kind: 'trying', label: 'unwell', why: `Asked only if nobody else can be: ${target.unwell}` };
  const rate = target.failure_rate ?? 0;
  return {
    kind: rate >= MANY ? 'trying' : 'up',
    label: 'up',
    why: rate > 0 ? `${formatShare(rate)} of its latest calls failed.` : undefined,
  };
}

/** From which age on a figure says nothing of now: no target is chosen by one so old. */
const OLD_MS = 60_000;

/** How old a figure is, if it is too old to be taken for one of now. */
export const ageOf = (ms: number | undefined): string | undefined =>
  ms !== undefined && ms >= OLD_MS ? `${formatDuration(ms)} ago` : undefined;

/** Its share of the calls that the route's targets answered. */
export function shareOf(target: TargetStatus, targets: TargetStatus[]): number {
  const all = targets.reduce((sum, one) => sum + one.answered, 0);
  return all === 0 ? 0 : target.answered / all;
}

/** Its weight, and how much of it counts while it is on its way back. */
export function weightOf(target: TargetStatus): string {
  if (target.weight_now >= target.weight) return `Weight ${target.weight}`;
  return `Weight ${Number(target.weight_now.toFixed(2))} of ${target.weight}, on its way back`;
}

type Detour = NonNullable<RouteStatus['detour']>;

/** Where calls go for a while, until when and why. The incident has a link beside it. */
export function detourOf(detour: Detour): string {
  const where = detour.to
    ? `go to route \`${detour.to}\``
    : `are asked of ${detour.targets?.map((target) => `\`${target}\``).join(', ')} alone`;
  const until = detour.until ? formatTime(detour.until) : 'the incident is over';
  const why = detour.why.replace(` (incident ${detour.incident})`, '');
  return `Its calls ${where} until ${until}: ${why}.`;
}

/** Whether a target's own route asks it now, as far as a detour goes. */
export const isAsked = (
  { detour, detour_problem: problem }: Pick<RouteStatus, 'detour' | 'detour_problem'>,
  { provider, model }: Pick<TargetStatus, 'provider' | 'model'>,
): boolean => !detour || problem !== undefined || (detour.targets ?? []).includes(`${provider}/${model}`);

type ProbeStatus = NonNullable<Provider['health']['probe']>;

/** A target as far as it is asked whether it is well. */
export type Probed = TargetStatus & { probe?: ProbeStatus; provider_probe?: ProbeStatus };

/** Who was asked whether it is well: the target's own model, and its provider. */
export function probesOf(target: Probed): { who: string; status: ProbeStatus }[] {
  const all = [
    { who: 'model', status: target.probe },
    { who: 'provider', status: target.provider_probe },
  ];
  return all.flatMap(({ who, status }) => (status ? [{ who, status }] : []));
}
