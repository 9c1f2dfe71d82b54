import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';

import type { Undelivered } from '@/api/types';
import { exactTime, formatAgo, formatIn } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';

import { retryMessage } from '../queries';

/** Messages of an incident go out one after the other by each channel. */
const tries = (count: number): string => {
  if (count === 0) return 'waits for its turn';
  return count === 1 ? 'tried once' : `tried ${count} times`;
};

function Row({ message }: { message: Undelivered }) {
  const queryClient = useQueryClient();
  const retry = useMutation({
    mutationFn: () => retryMessage(message.id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['alerting', 'messages'] }),
  });
  const { dead, due } = message;
  return (
    <li className="flex items-start gap-3 px-4 py-2.5 text-sm">
      <Badge tone={dead ? 'error' : 'warn'} className="mt-0.5 w-20 shrink-0 justify-center">
        {dead ? 'given up' : 'waiting'}
      </Badge>
      <div className="min-w-0 flex-1">
        <p className="break-words">
          <Link
            to="/incidents"
            search={{ show: 'all', id: message.incident }}
            className="font-medium hover:text-accent hover:underline"
          >
            <Coded text={message.title} />
          </Link>
        </p>
        <p className="num mt-0.5 text-xs text-muted">
          “{message.event}” by <span className="font-medium text-ink">{message.channel}</span> ·{' '}
          <span title={exactTime(message.made_at)}>written {formatAgo(message.made_at)}</span> ·{' '}
          {tries(message.tries)}
          {due && message.tries > 0 && <span title={exactTime(due)}>, again {formatIn(due)}</span>}
        </p>
        {message.error && (
          <p className="mt-0.5 text-xs break-words text-error">
            <Coded text={message.error} />
          </p>
        )}
        {retry.isError && (
          <p role="alert" className="mt-0.5 text-xs text-error">
            {retry.error.message}
          </p>
        )}
      </div>
      <Button size="sm" disabled={retry.isPending} onClick={() => retry.mutate()}>
        <RotateCw size={12} aria-hidden /> Try again
      </Button>
    </li>
  );
}

/** What people should have been told and were not. */
export function MessageList({ messages }: { messages: Undelivered[] }) {
  if (messages.length === 0)
    return <p className="px-4 pt-1 pb-4 text-sm text-muted">None: everything has been taken.</p>;
  return (
    <ul className="max-h-96 divide-y divide-line overflow-y-auto border-t border-line">
      {messages.map((message) => (
        <Row key={message.id} message={message} />
      ))}
    </ul>
  );
}
