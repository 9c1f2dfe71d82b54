import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BellOff } from 'lucide-react';
import { useState } from 'react';

import { LooksOn } from '@/shared/data/looks-on';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { Card, PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { ChannelList } from './parts/channels';
import { MessageList } from './parts/messages';
import { OnCallList } from './parts/on-call';
import { NewSilence, SilenceList } from './parts/silences';
import { channelsQuery, messagesQuery, silencesQuery } from './queries';
import { byNeed } from './state';

interface Asked {
  isPending: boolean;
  error: unknown;
  refetch: () => Promise<unknown>;
}

/** While it is on its way, or where it failed. */
function Waiting({ answer }: { answer: Asked }) {
  if (answer.isPending) return <SkeletonRows rows={2} widths={['w-32', 'w-16']} />;
  return <ErrorState error={answer.error} retry={() => void answer.refetch()} className="p-4" />;
}

export function AlertingPage() {
  const [making, setMaking] = useState(false);
  useShortcuts([{ keys: 'n', label: 'New silence', group: 'Alerting', run: () => setMaking(true) }]);
  const channels = useQuery(channelsQuery);
  const messages = useQuery(messagesQuery);
  const silences = useQuery(silencesQuery);
  const undelivered = byNeed(messages.data?.messages ?? []);
  const dead = undelivered.filter((one) => one.dead).length;
  return (
    <>
      <title>Alerting · Signalbox</title>
      <PageHeader title="Alerting">
        <Button look="primary" onClick={() => setMaking(true)}>
          <BellOff size={14} aria-hidden /> New silence
        </Button>
      </PageHeader>
      <LooksOn />
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        <p className="mb-4 max-w-2xl text-sm text-muted">
          Who is told of{' '}
          <Link to="/incidents" className="text-accent hover:underline">
            incidents
          </Link>
          , and by which channels. Channels, people and schedules stand in the configuration, under{' '}
          <code className="text-xs">watch</code>.
        </p>
        <div className="grid items-start gap-4 md:grid-cols-[2fr_3fr]">
          <Card title="On call now">
            {channels.data ? <OnCallList schedules={channels.data.on_call} /> : <Waiting answer={channels} />}
          </Card>
          <Card title="Channels">
            {channels.data ? (
              <ChannelList channels={channels.data.channels} messages={undelivered} />
            ) : (
              <Waiting answer={channels} />
            )}
          </Card>
        </div>
        <div className="mt-4 space-y-4">
          <Card
            title="Messages that nobody got"
            aside={
              dead > 0 && (
                <Badge tone="error" className="mr-2">
                  {dead} given up
                </Badge>
              )
            }
          >
            {messages.data ? <MessageList messages={undelivered} /> : <Waiting answer={messages} />}
          </Card>
          <Card title="Silences">
            {silences.data ? (
              <SilenceList silences={silences.data.silences} />
            ) : (
              <Waiting answer={silences} />
            )}
          </Card>
        </div>
      </div>
      {making && <NewSilence onClose={() => setMaking(false)} />}
    </>
  );
}
