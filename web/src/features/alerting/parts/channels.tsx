import { useMutation } from '@tanstack/react-query';
import { Check, Send } from 'lucide-react';

import type { Channel, Undelivered } from '@/api/types';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';

import { testChannel } from '../queries';
import { waiting } from '../state';

/** A way to tell people, and a button that tries it. */
function Row({ channel, messages }: { channel: Channel; messages: Undelivered[] }) {
  const test = useMutation({ mutationFn: () => testChannel(channel.name) });
  const { dead, due } = waiting(messages, channel.name);
  return (
    <li className="px-4 py-2.5 text-sm">
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="min-w-0 font-medium break-all">{channel.name}</span>
        <Badge>{channel.kind}</Badge>
        {dead > 0 && <Badge tone="error">{dead} given up</Badge>}
        {due > 0 && <Badge tone="warn">{due} waiting</Badge>}
        <span className="ml-auto flex items-center gap-2">
          {test.isSuccess && (
            <span role="status" className="flex items-center gap-1 text-xs text-ok">
              <Check size={13} aria-hidden /> taken
            </span>
          )}
          <Button
            size="sm"
            disabled={test.isPending}
            onClick={() => test.mutate()}
            title="Sends a message that says that it is a test"
          >
            <Send size={12} aria-hidden /> {test.isPending ? 'Sending…' : 'Send a test'}
          </Button>
        </span>
      </div>
      {test.isError && (
        <p role="alert" className="mt-1 text-xs break-words text-error">
          <Coded text={test.error.message} />
        </p>
      )}
    </li>
  );
}

export function ChannelList({ channels, messages }: { channels: Channel[]; messages: Undelivered[] }) {
  if (channels.length === 0)
    return (
      <p className="px-4 pt-1 pb-4 text-sm text-muted">
        There are none, so nobody is told of anything. Write one into the configuration under{' '}
        <code className="text-xs">watch.channels</code>, and name it in{' '}
        <code className="text-xs">watch.starter_notify</code> or in a monitor’s{' '}
        <code className="text-xs">notify</code>.
      </p>
    );
  return (
    <ul className="divide-y divide-line border-t border-line">
      {channels.map((channel) => (
        <Row key={channel.name} channel={channel} messages={messages} />
      ))}
    </ul>
  );
}
