/** What is beside an incident: changes before it, what differs, examples, what can be done. */
import type { Incident } from '@/api/types';
import type { Tone } from '@/shared/ui/badge';

export interface Change {
  id: string;
  at: string;
  kind: string;
  title: string;
  labels?: Record<string, string>;
  url?: string;
  by?: string;
}

export interface Difference {
  field: string;
  value: string;
  share: number;
  share_before: number;
  lift?: number;
  rows: number;
  p: number;
  text: string;
}

export interface Example {
  trace_id: string;
  span_id?: string;
  at: string;
  text: string;
}

export interface Context {
  at: string;
  window: { from: string; to: string };
  before: { from: string; to: string };
  changes?: Change[];
  differences?: Difference[];
  examples?: Example[];
  gaps?: string[];
}

export interface IncidentAction {
  name: string;
  does:
    | { webhook: { channel: string } }
    | { disable_key: { key: string } }
    | { switch_route: { route: string; to?: string | null; targets?: string[]; for_s?: number | null } };
  automatic?: boolean;
  done_at?: string;
}

/** An incident with what the API says beside it. */
export type FullIncident = Incident & { context?: Context; actions?: IncidentAction[]; external?: string };

export const changeTone: Record<string, Tone> = {
  deploy: 'info',
  prompt: 'info',
  model: 'info',
  provider: 'info',
  config: 'warn',
  policy: 'warn',
  credential: 'warn',
  key: 'warn',
};

const MINUTE_MS = 60_000;

/** When something was changed, as seen from the beginning of the incident: `12 min before`, `3 min after`. */
export function relative(at: string, openedAt: string): string {
  const minutes = Math.round((Date.parse(at) - Date.parse(openedAt)) / MINUTE_MS);
  const far = Math.abs(minutes);
  if (far === 0) return 'as it began';
  const text = far < 60 ? `${far} min` : `${Math.floor(far / 60)} h ${far % 60} min`;
  return `${text} ${minutes < 0 ? 'before' : 'after'}`;
}

/** A runbook as Markdown in which lines end where its author ended them. */
export const withBreaks = (runbook: string): string =>
  runbook.trimEnd().replace(/([^\n])\n(?=[^\n])/g, '$1  \n');

/** What pressing an action's button means, before it is pressed. */
export function meaning(action: IncidentAction): string {
  const { does } = action;
  if ('webhook' in does) return `The webhook of channel “${does.webhook.channel}” is called.`;
  if ('disable_key' in does) return `Virtual key ${does.disable_key.key} is revoked for good.`;
  const { route, to, targets = [], for_s } = does.switch_route;
  const where = to ? `go to route “${to}”` : `are asked of ${targets.join(', ')} alone`;
  const until = for_s ? `for ${spell(for_s)}` : 'until the incident is over';
  return `Calls of route “${route}” ${where} ${until}. They can be switched back on the Routes page.`;
}

/** Seconds as people read them: `90 s`, `10 min`, `2 h`. */
function spell(seconds: number): string {
  if (seconds >= 3_600 && seconds % 3_600 === 0) return `${seconds / 3_600} h`;
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Why a part of what is beside an incident is missing, without the words that say of which part; nothing of the others. */
export const gapsOf = (context: Context | undefined, part: string): string[] =>
  (context?.gaps ?? []).flatMap((gap) => (gap.startsWith(`${part}: `) ? gap.slice(part.length + 2) : []));

/** Only a web address becomes a link: markers come from scripts. */
export const isWeb = (url: string | undefined): url is string =>
  url !== undefined && /^https?:\/\//.test(url);
