import type { Incident } from '@/api/types';
import type { Tone } from '@/shared/ui/badge';

export const severityTone: Record<Incident['severity'], Tone> = {
  critical: 'error',
  error: 'error',
  warning: 'warn',
  info: 'info',
};

export const statusTone: Record<Incident['status'], Tone> = {
  open: 'error',
  acknowledged: 'warn',
  resolved: 'ok',
};

const severities: Incident['severity'][] = ['critical', 'error', 'warning', 'info'];

/** What asks for a person first: what nobody has taken, then what is worst; the latest first among these. */
export const byUrgency = <One extends Pick<Incident, 'status' | 'severity'>>(incidents: One[]): One[] =>
  incidents.toSorted(
    (one, other) =>
      Number(one.status !== 'open') - Number(other.status !== 'open') ||
      severities.indexOf(one.severity) - severities.indexOf(other.severity),
  );

/** The drift check that found it, if one did. */
export const driftCheckOf = (monitor: string): string | undefined =>
  monitor.startsWith('drift.') ? monitor.slice('drift.'.length) : undefined;

/** Whether a monitor of this Signalbox found it whose values can be drawn. */
export const hasHistory = (incident: { monitor: string; external?: string | null }): boolean =>
  !incident.external && driftCheckOf(incident.monitor) === undefined;

/** From when until when it was wrong, in milliseconds; until the end of what is known if it still is. */
export const stretch = (
  incident: Pick<Incident, 'opened_at' | 'resolved_at'>,
  end: number,
): [number, number] => [
  Date.parse(incident.opened_at),
  incident.resolved_at === undefined ? end : Date.parse(incident.resolved_at),
];

/** Labels as people read them. */
export const named = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');

/** How long it lasted, or has lasted so far: `4 min`, `2 h 5 min`. */
export function lasted(incident: Pick<Incident, 'opened_at' | 'resolved_at'>, now = Date.now()): string {
  const end = incident.resolved_at === undefined ? now : Date.parse(incident.resolved_at);
  const minutes = Math.max(0, Math.floor((end - Date.parse(incident.opened_at)) / 60_000));
  if (minutes < 1) return 'under a minute';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
