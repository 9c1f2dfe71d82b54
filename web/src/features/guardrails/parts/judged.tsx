import type { Finding, JudgedText } from '@/api/types';
import { formatMicros } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';

import { piecesOf } from '../marked';
import { SayFeedback } from './feedback';
import { actionTone, severityTone } from './tones';

const marks: Record<Finding['action'], string> = {
  flag: 'bg-warn-soft decoration-warn',
  tokenise: 'bg-info-soft decoration-info',
  redact: 'bg-info-soft decoration-info',
  rewrite: 'bg-error-soft decoration-error',
  block: 'bg-error-soft decoration-error',
};

/** The text, with what was found in it. */
export function Marked({ text, judged }: { text: string; judged: JudgedText }) {
  return (
    <p className="max-h-64 overflow-y-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs break-words whitespace-pre-wrap">
      {piecesOf(text, judged.findings).map((piece, i) => {
        const [first] = piece.findings;
        if (!first) return <span key={i}>{piece.text}</span>;
        const titles = piece.findings.map((one) => `${one.scanner} ${one.rule}: ${one.message}`);
        return (
          <mark
            key={i}
            title={titles.join('\n')}
            className={cx('rounded-xs text-ink underline decoration-2', marks[first.action])}
          >
            {piece.text}
          </mark>
        );
      })}
    </p>
  );
}

/** What was found, and a way to say that it is nothing. */
export function Findings({ text, judged }: { text: string; judged: JudgedText }) {
  return (
    <ul className="divide-y divide-line text-sm">
      {judged.findings.map((one, i) => (
        <li key={i} className="flex flex-wrap items-center gap-x-2 gap-y-1 py-2">
          <Badge tone={actionTone[one.action]}>{one.action}</Badge>
          <span
            className="min-w-0 font-mono text-xs wrap-anywhere"
            title={`Bytes ${one.start} to ${one.end} of the text`}
          >
            {one.scanner}.<wbr />
            {one.rule}
          </span>
          <Badge tone={severityTone[one.severity]}>{one.severity}</Badge>
          <span className="num text-xs text-muted">{Math.round(one.confidence * 100)}% sure</span>
          <SayFeedback
            label="false_positive"
            about={{ scanner: one.scanner, rule: one.rule }}
            text={text}
            className="ml-auto"
          />
          <span className="w-full text-xs text-muted">{one.message}</span>
        </li>
      ))}
    </ul>
  );
}

/** How sure each scanner is, and how long it took. */
export function Scores({ judged }: { judged: JudgedText }) {
  return (
    <ul
      className="grid grid-cols-[repeat(auto-fill,minmax(min(15rem,100%),1fr))] gap-x-6 gap-y-1 text-xs"
      aria-label="Score and time of each scanner"
    >
      {judged.scanners.map(({ scanner, score, us }, i) => (
        <li key={i} className="flex items-center gap-2">
          <span className="w-30 min-w-0 truncate font-mono" title={scanner}>
            {scanner}
          </span>
          <span className="h-1.5 min-w-8 flex-1 overflow-hidden rounded-full bg-sunken" aria-hidden>
            <span
              className={cx('block h-full', score >= 0.5 ? 'bg-warn' : 'bg-accent')}
              style={{ width: `${Math.round(score * 100)}%` }}
            />
          </span>
          <span className="num w-9 shrink-0 text-right">{score.toFixed(2)}</span>
          <span className="num w-13 shrink-0 text-right whitespace-nowrap text-faint">
            {formatMicros(us)}
          </span>
        </li>
      ))}
    </ul>
  );
}
