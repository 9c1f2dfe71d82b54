import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ExternalLink, Search } from 'lucide-react';
import { useRef, useState } from 'react';

import type { Provider } from '@/api/types';
import { formatCount, formatDuration, formatShare } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { CopyIcon } from '@/shared/ui/copy';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Kbd } from '@/shared/ui/kbd';
import { PageHeader } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { chipIs, writeChip } from '@/shared/url/filters';

import { Live } from './live';
import { Credentials } from './parts/credentials';
import { Probe } from './parts/probe';
import { providersQuery } from './queries';

/** Text with `names` in it, as the server writes it. */
function Prose({ text }: { text: string }) {
  return text.split('`').map((piece, i) =>
    i % 2 === 1 ? (
      <code key={i} className="rounded-sm border border-line bg-sunken px-1 font-mono text-xs">
        {piece}
      </code>
    ) : (
      piece
    ),
  );
}

function Health({ health }: { health: Provider['health'] }) {
  const total = health.ok + health.failed;
  if (total === 0) return <span className="text-xs text-faint">No calls since the start</span>;
  const share = health.ok / total;
  return (
    <div className="flex items-center gap-3">
      <div
        className="h-1.5 flex-1 overflow-hidden rounded-full bg-error/70"
        role="img"
        aria-label={`${formatShare(share)} answered`}
      >
        <div className="h-full bg-accent" style={{ width: `${share * 100}%` }} />
      </div>
      <span className="num text-xs text-muted">
        {formatCount(health.ok)} answered
        {health.failed > 0 && <span className="text-error"> · {formatCount(health.failed)} failed</span>}
      </span>
    </div>
  );
}

/** Credentials that can't be used just now. */
function Resting({ credentials }: { credentials: NonNullable<Provider['credentials']> }) {
  const shown = credentials.filter((one) => one.missing !== undefined || one.rests_ms !== undefined);
  if (shown.length === 0) return null;
  return (
    <ul className="flex flex-wrap gap-1.5" aria-label="Credentials that are not used now">
      {shown.map((one) => (
        <li key={one.name}>
          <Badge tone={one.missing ? 'error' : 'warn'} title={one.missing ?? 'The provider refused it'}>
            {one.name}: {one.missing ? 'missing' : `rests ${formatDuration(one.rests_ms)}`}
          </Badge>
        </li>
      ))}
    </ul>
  );
}

/** What it is called, and what its models' names begin with; long ones go on in the next line. */
function Name({ provider, className }: { provider: Provider; className: string }) {
  return (
    <div className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
      <h3 className={cx('min-w-0 break-words', className)}>{provider.title}</h3>
      <span className="min-w-0 font-mono text-xs break-all text-faint">{provider.name}/</span>
    </div>
  );
}

function ProviderCard({ provider }: { provider: Provider }) {
  const shown = provider.models.slice(0, 6);
  const error = provider.health.last_error;
  return (
    <article className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4">
      <header className="flex items-start gap-2">
        <span
          className={cx(
            'mt-1.5 size-2 shrink-0 rounded-full',
            provider.on
              ? 'bg-accent shadow-[0_0_0_3px_color-mix(in_oklab,var(--accent)_22%,transparent)]'
              : 'bg-line-strong',
          )}
          aria-hidden
        />
        <Name provider={provider} className="font-semibold" />
        <span className="flex shrink-0 items-center gap-1.5">
          <Badge>{provider.dialect}</Badge>
          <Badge tone={provider.on ? 'ok' : 'neutral'}>{provider.on ? 'on' : 'off'}</Badge>
        </span>
      </header>
      <p className="text-sm text-muted">
        <Prose text={provider.why} />
      </p>
      {provider.on && <Health health={provider.health} />}
      {provider.on && <Live provider={provider} />}
      {provider.health.probe && <Probe probe={provider.health.probe} />}
      <Resting credentials={provider.credentials ?? []} />
      {error && (
        <div className="rounded-md bg-error-soft px-3 py-2 text-xs text-error">
          <span className="font-semibold">{error.type}</span>{' '}
          <span title={exactTime(error.time)}>{formatAgo(error.time)}</span>
          <div className="mt-0.5 break-words">{error.message}</div>
        </div>
      )}
      {shown.length > 0 && (
        <ul className="flex flex-wrap gap-1">
          {shown.map((model) => (
            <li
              key={model}
              className="flex h-6 items-center rounded-sm border border-line bg-sunken pl-1.5 font-mono text-2xs text-muted"
            >
              {model}
              <CopyIcon
                text={model.startsWith(`${provider.name}/`) ? model : `${provider.name}/${model}`}
                label={`Copy the name of ${model}`}
                className="size-6"
              />
            </li>
          ))}
          {provider.models.length > shown.length && (
            <li
              className="flex h-6 items-center px-1 text-2xs text-faint"
              title={provider.models.slice(6).join('\n')}
            >
              +{provider.models.length - shown.length} more
            </li>
          )}
        </ul>
      )}
      <footer className="mt-auto flex gap-3 text-xs">
        {provider.on && (
          <Link
            to="/traces"
            search={{ f: [writeChip(chipIs('provider', provider.otel_name))] }}
            className="font-medium text-accent hover:underline"
          >
            Traces
          </Link>
        )}
        {provider.docs && (
          <a
            href={provider.docs}
            target="_blank"
            rel="noreferrer noopener"
            className="flex items-center gap-1 text-muted hover:text-ink hover:underline"
          >
            Documentation <ExternalLink size={11} aria-hidden />
          </a>
        )}
      </footer>
    </article>
  );
}

/** One that is off: what it is, and what switches it on. */
function OffRow({ provider }: { provider: Provider }) {
  return (
    <li className="flex min-w-0 flex-col gap-0.5 px-4 py-2.5">
      <div className="flex items-baseline gap-2">
        <Name provider={provider} className="font-medium" />
        {provider.docs && (
          <a
            href={provider.docs}
            target="_blank"
            rel="noreferrer noopener"
            aria-label={`Documentation of ${provider.title}`}
            className="shrink-0 text-faint hover:text-ink"
          >
            <ExternalLink size={12} aria-hidden />
          </a>
        )}
      </div>
      <p className="text-xs break-words text-muted">{provider.why}</p>
    </li>
  );
}

function Heading({ title, about }: { title: string; about: string }) {
  return (
    <>
      <h2 className="font-semibold">{title}</h2>
      <p className="mb-3 text-sm text-muted">{about}</p>
    </>
  );
}

/** Its names, or a model that it is known to serve. */
function matches(provider: Provider, text: string): boolean {
  const names = [provider.name, provider.title, provider.dialect, ...provider.models];
  return names.some((name) => name.toLowerCase().includes(text.trim().toLowerCase()));
}

export function ProvidersPage() {
  const answer = useQuery(providersQuery);
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useShortcuts([
    { keys: '/', label: 'Find a provider', group: 'Providers', run: () => input.current?.focus() },
  ]);
  const providers = answer.data?.providers ?? [];
  const found = providers.filter((provider) => matches(provider, text));
  const on = found.filter((provider) => provider.on);
  const off = found.filter((provider) => !provider.on);
  return (
    <>
      <title>Providers · Signalbox</title>
      <PageHeader title="Providers">
        <div className="relative w-full max-w-xs min-w-48">
          <Search
            size={14}
            className="pointer-events-none absolute top-[9px] left-2.5 text-faint"
            aria-hidden
          />
          <input
            ref={input}
            aria-label="Find a provider"
            placeholder="Find a provider or model"
            className={cx(inputClass, 'pr-8 pl-8')}
            value={text}
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && setText('')}
          />
          {text === '' && (
            <span className="absolute top-[6px] right-2">
              <Kbd>/</Kbd>
            </span>
          )}
        </div>
      </PageHeader>
      <div className="min-h-0 flex-1 space-y-6 overflow-y-auto p-5">
        {answer.isPending && (
          <div className="grid grid-cols-[repeat(auto-fill,minmax(min(340px,100%),1fr))] gap-3">
            {Array.from({ length: 6 }, (_, i) => (
              <Skeleton key={i} className="h-40 rounded-lg" />
            ))}
          </div>
        )}
        {answer.isError && !answer.data && (
          <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
        )}
        {providers.length > 0 && found.length === 0 && (
          <EmptyState title={`No provider is called “${text.trim()}”`} className="py-20">
            <p>
              Any server that speaks a known dialect can be written in signalbox.yaml, with its{' '}
              <code className="font-mono text-xs">dialect</code> and{' '}
              <code className="font-mono text-xs">base_url</code>.
            </p>
          </EmptyState>
        )}
        {on.length > 0 && (
          <section>
            <Heading
              title="On"
              about="Calls can go there. Write the model as provider/model, or its bare name where only one serves it."
            />
            <div className="grid grid-cols-[repeat(auto-fill,minmax(min(340px,100%),1fr))] gap-3">
              {on.map((provider) => (
                <ProviderCard key={provider.name} provider={provider} />
              ))}
            </div>
          </section>
        )}
        {text === '' && <Credentials />}
        {off.length > 0 && (
          <section>
            <Heading
              title={`Off (${off.length})`}
              about="Set the named variable where Signalbox runs and start it again, or write the provider in signalbox.yaml, which a running Signalbox takes over by itself."
            />
            <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(280px,100%),1fr))] overflow-hidden rounded-lg border border-line bg-surface [&>li]:-mt-px [&>li]:-ml-px [&>li]:border-t [&>li]:border-l [&>li]:border-line">
              {off.map((provider) => (
                <OffRow key={provider.name} provider={provider} />
              ))}
            </ul>
          </section>
        )}
      </div>
    </>
  );
}
