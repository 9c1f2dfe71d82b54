import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

import { Button, IconButton } from './button';

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https (a plain http host on the network) there is no clipboard API.
    const area = document.createElement('textarea');
    area.value = text;
    area.style.position = 'fixed';
    area.style.opacity = '0';
    // Inside an open dialog only its own elements can take the focus that copying needs.
    (document.activeElement?.parentElement ?? document.body).append(area);
    area.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way there is without https
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

function useCopy(text: string | (() => string)): { done: boolean; copy: () => void } {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = (): void => {
    void write(typeof text === 'string' ? text : text()).then(setDone);
  };
  return { done, copy };
}

export function CopyIcon({
  text,
  label = 'Copy',
  className,
}: {
  text: string | (() => string);
  label?: string;
  className?: string;
}) {
  const { done, copy } = useCopy(text);
  return (
    <IconButton
      label={done ? 'Copied' : label}
      className={className}
      onClick={(event) => {
        event.stopPropagation();
        copy();
      }}
    >
      {done ? <Check size={14} className="text-ok" /> : <Copy size={14} />}
    </IconButton>
  );
}

export function CopyButton({
  text,
  children,
  size = 'sm',
}: {
  text: string | (() => string);
  children: string;
  size?: 'sm' | 'md';
}) {
  const { done, copy } = useCopy(text);
  return (
    <Button size={size} onClick={copy}>
      {done ? <Check size={14} className="text-ok" /> : <Copy size={14} />}
      {done ? 'Copied' : children}
    </Button>
  );
}

/** A block of code with a button that copies it. */
export function CodeBlock({ code, label }: { code: string; label?: string }) {
  const copy = <CopyIcon text={code} label={`Copy ${label ?? 'code'}`} />;
  return (
    <div className="relative min-w-0 overflow-hidden rounded-md border border-line bg-sunken text-left text-ink">
      {label && (
        <div className="eyebrow flex h-8 items-center justify-between border-b border-line pr-1 pl-3">
          {label}
          {copy}
        </div>
      )}
      <pre
        className={`overflow-x-auto p-3 font-mono text-xs leading-5 whitespace-pre ${label ? '' : 'pr-10'}`}
      >
        {code}
      </pre>
      {/* As high as the block, so that what is scrolled doesn't come out beside it. */}
      {!label && <div className="absolute inset-y-0 right-0 bg-sunken p-1">{copy}</div>}
    </div>
  );
}
