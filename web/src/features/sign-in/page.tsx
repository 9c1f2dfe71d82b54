import { useMutation, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { Eye, EyeOff } from 'lucide-react';
import { useState } from 'react';

import { api, ApiError, call } from '@/api/client';
import { sessionQuery } from '@/shared/data/query';
import { Button, IconButton } from '@/shared/ui/button';
import { CodeBlock } from '@/shared/ui/copy';
import { Field } from '@/shared/ui/field';
import { Logo } from '@/shared/ui/logo';

const route = getRouteApi('/sign-in');

function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong. Try again.';
  if (error.status === 401)
    return 'No such key, or it was revoked. Check that it is copied whole: keys begin with sb-.';
  return error.hint ? `${error.message} ${error.hint}` : error.message;
}

/** Only a path of ours: a link must not send anybody elsewhere after sign-in. */
const safeNext = (next?: string): string => (next && /^\/(?![/\\])/.test(next) ? next : '/');

export function SignInPage() {
  const { next } = route.useSearch();
  const [key, setKey] = useState('');
  const [shown, setShown] = useState(false);
  const router = useRouter();
  const queryClient = useQueryClient();
  const signIn = useMutation({
    mutationFn: (text: string) => call(api.POST('/api/v1/session', { body: { key: text } })),
    onSuccess: (session) => {
      queryClient.clear();
      queryClient.setQueryData(sessionQuery.queryKey, session);
      router.history.push(safeNext(next));
    },
  });
  return (
    <main className="flex h-full items-start justify-center overflow-y-auto px-4 pt-[16vh] pb-10">
      <title>Sign in · Signalbox</title>
      <div className="w-full max-w-sm">
        <div className="mb-8 flex items-center gap-3">
          <Logo size={34} />
          <div>
            <h1 className="text-xl font-semibold tracking-tight">Signalbox</h1>
            <p className="text-sm text-muted">A control room for LLM applications</p>
          </div>
        </div>
        <form
          className="rounded-xl border border-line bg-surface p-5"
          onSubmit={(event) => {
            event.preventDefault();
            if (key.trim() !== '') signIn.mutate(key.trim());
          }}
        >
          <div className="relative">
            <Field
              label="Virtual key"
              name="key"
              type={shown ? 'text' : 'password'}
              autoFocus
              autoComplete="current-password"
              spellCheck={false}
              placeholder="sb-…"
              value={key}
              onChange={(event) => {
                setKey(event.target.value);
                signIn.reset();
              }}
              error={signIn.isError ? messageOf(signIn.error) : undefined}
              className="[&_input]:pr-9 [&_input]:font-mono"
            />
            <IconButton
              label={shown ? 'Hide the key' : 'Show the key'}
              className="absolute top-[27px] right-1"
              onClick={() => setShown(!shown)}
            >
              {shown ? <EyeOff size={15} /> : <Eye size={15} />}
            </IconButton>
          </div>
          <Button
            type="submit"
            look="primary"
            size="lg"
            className="mt-2 w-full"
            disabled={signIn.isPending || key.trim() === ''}
          >
            {signIn.isPending ? 'Signing in…' : 'Sign in'}
          </Button>
        </form>
        <details className="mt-5 px-1 text-sm text-muted">
          <summary className="rounded-sm font-medium text-ink">Where do I find a key?</summary>
          <div className="mt-2 space-y-2">
            <p>
              Signalbox printed the first key to the terminal when it started on an empty data folder. It is
              shown once and kept only as a hash.
            </p>
            <p>
              Whoever has a key can make more on the page Keys. To choose the first key yourself, start an
              empty data folder with:
            </p>
            <CodeBlock code={'SIGNALBOX_BOOTSTRAP_KEY=my-own-key signalbox up'} />
          </div>
        </details>
      </div>
    </main>
  );
}
