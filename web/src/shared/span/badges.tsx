import { Ban, EyeOff, Flag, ShieldCheck, TriangleAlert } from 'lucide-react';

import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';

import { kindOf } from './kinds';

export function KindIcon({
  kind,
  size = 14,
  className,
}: {
  kind: string;
  size?: number;
  className?: string;
}) {
  const { icon: Icon, color, label } = kindOf(kind);
  return (
    <span
      title={label}
      style={{ color, backgroundColor: `color-mix(in oklab, ${color} 14%, transparent)` }}
      className={cx('inline-flex shrink-0 items-center justify-center rounded-sm p-[3px]', className)}
    >
      <Icon size={size} aria-label={label} strokeWidth={2.1} />
    </span>
  );
}

export function StatusBadge({ status, errorType }: { status: string; errorType?: string | null }) {
  if (status === 'error') {
    return (
      <Badge tone="error" title={errorType ?? 'error'}>
        <TriangleAlert size={11} className="shrink-0" aria-hidden />
        <span className="truncate">{errorType ?? 'error'}</span>
      </Badge>
    );
  }
  // What is as it should be stays quiet.
  return (
    <span className="inline-flex items-center gap-1.5 text-xs text-muted">
      <span
        className={cx('size-1.5 rounded-full', status === 'ok' ? 'bg-ok' : 'bg-line-strong')}
        aria-hidden
      />
      {status}
    </span>
  );
}

const verdicts = {
  flag: { tone: 'warn', label: 'flagged', icon: Flag },
  redact: { tone: 'info', label: 'redacted', icon: EyeOff },
  block: { tone: 'error', label: 'blocked', icon: Ban },
} as const;

export function VerdictBadge({ verdict }: { verdict?: string | null }) {
  if (!verdict) return null;
  const look = verdicts[verdict as keyof typeof verdicts] as (typeof verdicts)['flag'] | undefined;
  if (!look) {
    return (
      <span
        className="inline-flex items-center gap-1 text-xs text-faint"
        title="Guardrails looked at it and found nothing"
      >
        <ShieldCheck size={13} aria-hidden /> {verdict === 'allow' ? 'clear' : verdict}
      </span>
    );
  }
  const Icon = look.icon;
  return (
    <Badge tone={look.tone} title={`Guardrail: ${look.label}`}>
      <Icon size={11} aria-hidden />
      {look.label}
    </Badge>
  );
}
