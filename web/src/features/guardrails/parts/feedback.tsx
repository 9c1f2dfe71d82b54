import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Check, Download, MessageSquareWarning, X } from 'lucide-react';

import type { Guardrails, SayFeedback as Said } from '@/api/types';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { buttonClass, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Card } from '@/shared/ui/page';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { feedbackQuery, forgetFeedback, sayFeedback } from '../queries';

const words = { false_positive: 'false alarm', missed: 'missed' } as const;

/** One click: this is nothing. The text is kept to train and measure with. */
export function SayFeedback({
  label,
  about,
  text,
  className,
}: {
  label: Said['label'];
  about: Omit<Said, 'label' | 'text'>;
  /** The text, or how to come by it. */
  text: string | (() => Promise<string>);
  className?: string;
}) {
  const client = useQueryClient();
  const saying = useMutation({
    mutationFn: async () =>
      sayFeedback({ label, ...about, text: typeof text === 'string' ? text : await text() }),
    onSuccess: () => client.invalidateQueries({ queryKey: feedbackQuery.queryKey }),
  });
  if (saying.isSuccess) {
    return (
      <span className={cx('flex items-center gap-1 text-xs text-ok', className)} role="status">
        <Check size={12} aria-hidden /> kept
      </span>
    );
  }
  return (
    <button
      type="button"
      disabled={saying.isPending}
      title={saying.error?.message ?? 'Keeps the text, to train and measure with'}
      className={cx(
        'rounded-sm px-1 text-xs font-medium hover:underline',
        saying.isError ? 'text-error' : 'text-faint hover:text-ink',
        className,
      )}
      onClick={() => saying.mutate()}
    >
      {words[label]}
    </button>
  );
}

/** Which scanner should have found something in this text. */
export function Missed({ text, scanners }: { text: string; scanners: Guardrails['scanners'] }) {
  const client = useQueryClient();
  const saying = useMutation({
    mutationFn: sayFeedback,
    onSuccess: () => client.invalidateQueries({ queryKey: feedbackQuery.queryKey }),
  });
  return (
    <span className="ml-auto flex items-center gap-2 text-xs text-muted">
      {saying.isSuccess && (
        <span className="flex items-center gap-1 text-ok" role="status">
          <Check size={12} aria-hidden /> kept
        </span>
      )}
      {saying.isError && <span className="text-error">{saying.error.message}</span>}
      <select
        aria-label="Missed by"
        title="Keeps the text, to train and measure with"
        value=""
        className={cx(inputClass, 'h-7 w-44 text-xs')}
        onChange={(event) => saying.mutate({ label: 'missed', scanner: event.target.value, text })}
      >
        <option value="" disabled>
          something was missed by…
        </option>
        {scanners
          .filter(({ describes }) => !describes)
          .map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
      </select>
    </span>
  );
}

/** What people have said of findings, and the way to a training set. */
export function FeedbackCard() {
  const client = useQueryClient();
  const answer = useQuery(feedbackQuery);
  const forget = useMutation({
    mutationFn: forgetFeedback,
    onSuccess: () => client.invalidateQueries({ queryKey: feedbackQuery.queryKey }),
  });
  const said = answer.data?.feedback ?? [];
  return (
    <Card
      title="Feedback on findings"
      aside={
        said.length > 0 && (
          <a
            href="/api/v1/guard/feedback/export"
            download="guard-feedback.jsonl"
            title="JSON lines with text and label"
            className={buttonClass('ghost', 'sm')}
          >
            <Download size={13} aria-hidden /> Export
          </a>
        )
      }
    >
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {answer.data && said.length === 0 && (
        <EmptyState
          icon={<MessageSquareWarning size={22} />}
          title="Nothing was said yet"
          className="pt-4 pb-8"
        >
          <p>
            Try a text above and say “false alarm” of a finding, or what was missed. The text is kept here,
            and exported to train and measure with.
          </p>
        </EmptyState>
      )}
      {said.length > 0 && (
        <ul className="scroll-hint max-h-80 divide-y divide-line overflow-auto text-sm">
          {said.map((one) => (
            <li key={one.id} className="flex items-center gap-3 px-4 py-2">
              <Badge tone={one.label === 'missed' ? 'error' : 'warn'}>{words[one.label]}</Badge>
              <span className="shrink-0 font-mono text-xs">
                {one.scanner}
                {one.rule !== undefined && `.${one.rule}`}
              </span>
              <span className="min-w-0 flex-1 truncate font-mono text-xs text-muted" title={one.text}>
                {one.text}
              </span>
              <span className="num shrink-0 text-xs text-faint" title={exactTime(one.time)}>
                {formatAgo(one.time)}
              </span>
              <IconButton label="Forget this" onClick={() => forget.mutate(one.id)}>
                <X size={13} aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
