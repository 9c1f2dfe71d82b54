import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ThumbsDown, ThumbsUp } from 'lucide-react';
import { useId, useState } from 'react';

import { api, call } from '@/api/client';
import type { NewScore, TraceScore } from '@/api/types';
import { sessionQuery } from '@/shared/data/query';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Dialog } from '@/shared/ui/dialog';
import { Failure } from '@/shared/ui/failure';
import { inputClass } from '@/shared/ui/field';
import { TextArea } from '@/shared/ui/text-area';

import {
  draftOfScore,
  emptyDraft,
  isOwn,
  isSaid,
  named,
  ownBefore,
  points,
  rubrics,
  scales,
  type ScoreDraft,
  toScore,
  toWithdrawal,
} from '../scores';

const choice = (on: boolean): string =>
  cx(
    'flex h-9 items-center justify-center gap-1.5 rounded-md border px-3 text-sm font-medium transition-colors',
    on
      ? 'border-accent bg-accent-soft text-accent'
      : 'border-line-strong bg-surface text-muted hover:bg-hover hover:text-ink',
  );

function useSave(traceId: string, onDone?: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (score: NewScore) => call(api.POST('/api/v1/scores', { body: score })),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['trace', traceId] });
      onDone?.();
    },
  });
}

function Verdict({ draft, onChange }: { draft: ScoreDraft; onChange: (draft: ScoreDraft) => void }) {
  if (draft.scale === 'thumbs') {
    return (
      <div role="radiogroup" aria-label="Verdict" className="grid grid-cols-2 gap-2">
        {([true, false] as const).map((passed) => (
          <button
            key={String(passed)}
            type="button"
            role="radio"
            aria-checked={draft.passed === passed}
            onClick={() => onChange({ ...draft, passed })}
            className={choice(draft.passed === passed)}
          >
            {passed ? <ThumbsUp size={15} aria-hidden /> : <ThumbsDown size={15} aria-hidden />}
            {passed ? 'Good' : 'Bad'}
          </button>
        ))}
      </div>
    );
  }
  if (draft.scale === 'points') {
    return (
      <div role="radiogroup" aria-label="Points" className="grid grid-cols-5 gap-2">
        {points.map((value) => (
          <button
            key={value}
            type="button"
            role="radio"
            aria-checked={draft.value === value}
            onClick={() => onChange({ ...draft, value })}
            className={cx(choice(draft.value === value), 'num')}
          >
            {value}
          </button>
        ))}
      </div>
    );
  }
  const labels = rubrics.find((one) => one.name === draft.name)?.labels ?? [];
  return (
    <div className="space-y-2">
      {labels.length > 0 && (
        <div role="radiogroup" aria-label="Category" className="flex flex-wrap gap-2">
          {labels.map((label) => (
            <button
              key={label}
              type="button"
              role="radio"
              aria-checked={draft.label === label}
              onClick={() => onChange({ ...draft, label })}
              className={choice(draft.label === label)}
            >
              {label}
            </button>
          ))}
        </div>
      )}
      <input
        aria-label="Category"
        placeholder={labels.length > 0 ? 'or another one' : 'e.g. off topic'}
        maxLength={200}
        className={inputClass}
        value={draft.label}
        onChange={(event) => onChange({ ...draft, label: event.target.value })}
      />
    </div>
  );
}

interface Props {
  traceId: string;
  /** The span that is looked at. */
  spanId: string;
  /** Those of the trace. */
  scores: TraceScore[];
  /** The score that is changed. */
  edited?: TraceScore;
  onClose: () => void;
}

/** A person's judgement of a span, or of its whole trace. */
export function ScoreForm({ traceId, spanId, scores, edited, onClose }: Props) {
  const session = useQuery(sessionQuery);
  const author = session.data?.key_name;
  const [draft, setDraft] = useState<ScoreDraft>(edited ? draftOfScore(edited) : emptyDraft);
  const [whole, setWhole] = useState(edited !== undefined && edited.span_id === undefined);
  const names = useId();
  const target = whole ? undefined : spanId;
  const before = edited ?? ownBefore(scores, draft.name, target, author);
  const save = useSave(traceId, onClose);
  const about = rubrics.find((one) => one.name === draft.name)?.about;
  const known = [...new Set([...rubrics.map((one) => one.name), ...scores.map((score) => score.name)])];
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={edited ? 'Change the score' : 'Score'}
      description={`Kept as a review by ${author ?? '…'}, beside what metrics and judges say.`}
    >
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isSaid(draft)) save.mutate(toScore(draft, { traceId, spanId: target, author, before }));
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.requestSubmit();
        }}
      >
        {!edited && (
          <div role="radiogroup" aria-label="What is judged" className="grid grid-cols-2 gap-2">
            {([false, true] as const).map((all) => (
              <button
                key={String(all)}
                type="button"
                role="radio"
                aria-checked={whole === all}
                onClick={() => setWhole(all)}
                className={choice(whole === all)}
              >
                {all ? 'The whole trace' : 'This span'}
              </button>
            ))}
          </div>
        )}
        <div>
          <label htmlFor={`${names}-name`} className="mb-1 block text-sm font-medium">
            What is judged
          </label>
          <div className="flex gap-2">
            <input
              id={`${names}-name`}
              list={names}
              maxLength={200}
              disabled={edited !== undefined}
              className={cx(inputClass, 'h-9 min-w-0 flex-1')}
              value={draft.name}
              onChange={(event) => setDraft(named(draft, event.target.value))}
            />
            <datalist id={names}>
              {known.map((name) => (
                <option key={name} value={name} />
              ))}
            </datalist>
            <div role="radiogroup" aria-label="Scale" className="flex rounded-md border border-line p-0.5">
              {scales.map(([scale, label]) => (
                <button
                  key={scale}
                  type="button"
                  role="radio"
                  aria-checked={draft.scale === scale}
                  onClick={() => setDraft({ ...draft, scale })}
                  className={cx(
                    'rounded-sm px-2 text-xs font-medium transition-colors',
                    draft.scale === scale ? 'bg-hover text-ink' : 'text-faint hover:text-ink',
                  )}
                >
                  {label}
                </button>
              ))}
            </div>
          </div>
          <p className="mt-1 min-h-[1.125rem] text-xs text-muted">{about}</p>
        </div>
        <Verdict draft={draft} onChange={setDraft} />
        <TextArea
          label="Why"
          value={draft.reason}
          placeholder="What a judge should learn from it"
          onChange={(event) => setDraft({ ...draft, reason: event.target.value })}
        />
        {!edited && before && (
          <p className="text-xs text-muted">You have judged it before: this takes the place of that score.</p>
        )}
        <Failure error={save.error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            look="primary"
            title="Ctrl or ⌘ and Enter"
            disabled={!isSaid(draft) || save.isPending}
          >
            {save.isPending ? 'Saving…' : 'Save the score'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What can be done with one's own score. */
export function OwnScore({
  traceId,
  score,
  onEdit,
}: {
  traceId: string;
  score: TraceScore;
  onEdit: (score: TraceScore) => void;
}) {
  const session = useQuery(sessionQuery);
  const author = session.data?.key_name;
  const withdraw = useSave(traceId);
  if (!isOwn(score, author)) return null;
  return (
    <span className="flex items-center">
      <Button size="sm" look="ghost" onClick={() => onEdit(score)}>
        Change
      </Button>
      <Button
        size="sm"
        look="ghost"
        disabled={withdraw.isPending}
        title={withdraw.error?.message}
        onClick={() => withdraw.mutate(toWithdrawal(score, { traceId, author }))}
      >
        Withdraw
      </Button>
    </span>
  );
}
