import type { ReactNode } from 'react';

import type { TraceScore } from '@/api/types';
import { exactTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';

import { toneOf, wordOf } from '../scores';

const shown = 4;

const sources: Record<TraceScore['source'], string> = {
  api: 'API',
  user_feedback: 'user feedback',
  review: 'review',
  judge: 'judge',
  code: 'code',
  guard: 'guardrail',
  otlp: 'OpenTelemetry',
};

/** The newest scores, each in a word. */
export function ScoreChips({ scores }: { scores: TraceScore[] }) {
  const newest = scores.slice(-shown);
  return (
    <>
      {newest.map((score) => (
        <Badge
          key={score.id}
          tone={toneOf(score)}
          className="num"
          title={[`${score.name}: ${wordOf(score)}`, score.reason].filter(Boolean).join('\n')}
        >
          <span className="max-w-32 truncate font-normal">{score.name}</span>
          <span className="max-w-32 truncate">{wordOf(score)}</span>
        </Badge>
      ))}
      {scores.length > shown && <span className="text-2xs text-faint">+{scores.length - shown}</span>}
    </>
  );
}

/** Every score with who judged, and why. `own` adds what can be done with one's own. */
export function ScoreList({ scores, own }: { scores: TraceScore[]; own?: (score: TraceScore) => ReactNode }) {
  return (
    <ul className="space-y-2">
      {scores.map((score) => (
        <li key={score.id} className="rounded-lg border border-line bg-surface p-3">
          <div className="flex flex-wrap items-center gap-1.5">
            <span className="text-sm font-medium">{score.name}</span>
            <Badge tone={toneOf(score)} className="num">
              {wordOf(score)}
            </Badge>
            {score.span_id === undefined && <Badge title="It judges the whole trace">trace</Badge>}
            <span className="ml-auto text-xs text-faint" title={exactTime(score.time)}>
              {[score.author, sources[score.source]].filter(Boolean).join(' · ')}
            </span>
            {own?.(score)}
          </div>
          {score.reason && <p className="mt-1.5 text-sm whitespace-pre-wrap text-muted">{score.reason}</p>}
        </li>
      ))}
    </ul>
  );
}
