import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate } from '@tanstack/react-router';
import { BookOpen, CircleHelp, LogOut, Monitor, Moon, Search, Sun, UserRound } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';

import { api, call } from '@/api/client';
import { countOf, openIncidentsQuery } from '@/shared/data/incidents';
import { sessionQuery, statusQuery } from '@/shared/data/query';
import { type Shortcut, useShortcuts } from '@/shared/keys/use-shortcuts';
import { setTheme, type Theme, useTheme } from '@/shared/theme/theme';
import { Logo } from '@/shared/ui/logo';
import { Kbd } from '@/shared/ui/kbd';
import { Menu, MenuItem, MenuLabel, MenuLine } from '@/shared/ui/menu';

import { ConfigNotice } from './config-notice';
import { type Page, pages } from './pages';

const Palette = lazy(() => import('./palette'));
const Help = lazy(() => import('./help'));

const modKey = /Mac|iP(hone|ad)/.test(navigator.userAgent) ? '⌘' : 'Ctrl';
const item =
  'group relative flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium text-muted transition-colors hover:bg-hover hover:text-ink max-lg:justify-center';

/** How many incidents wait for somebody; nothing if none does. */
function OpenIncidents() {
  const open = useQuery(openIncidentsQuery).data ?? 0;
  if (open === 0) return null;
  return (
    <span
      className="num flex h-4 min-w-4 items-center justify-center rounded-full bg-error px-1 text-[0.625rem] font-semibold text-white max-lg:absolute max-lg:top-0 max-lg:right-0 lg:ml-auto dark:text-[#2a0508]"
      title={`${countOf(open)} that nobody has taken`}
    >
      {countOf(open)}
      <span className="sr-only"> open</span>
    </span>
  );
}

function NavLink({ page }: { page: Page }) {
  const Icon = page.icon;
  return (
    <Link
      to={page.to}
      search={(before: { from?: string; to?: string }) =>
        page.ranged ? { from: before.from, to: before.to } : {}
      }
      activeOptions={{ exact: page.to === '/', includeSearch: false }}
      activeProps={{ className: 'bg-hover text-ink [&_svg]:text-accent', 'aria-current': 'page' }}
      title={`${page.title}: g ${page.key}`}
      className={item}
    >
      <Icon size={16} className="shrink-0 text-faint transition-colors" aria-hidden />
      <span className="max-lg:sr-only">{page.title}</span>
      {page.to === '/incidents' && <OpenIncidents />}
    </Link>
  );
}

const themes: { id: Theme; label: string; icon: typeof Sun }[] = [
  { id: 'system', label: 'System', icon: Monitor },
  { id: 'light', label: 'Light', icon: Sun },
  { id: 'dark', label: 'Dark', icon: Moon },
];

function ThemeToggle() {
  const theme = useTheme();
  return (
    <div
      role="radiogroup"
      aria-label="Theme"
      className="flex rounded-md border border-line p-0.5 max-lg:hidden"
    >
      {themes.map(({ id, label, icon: Icon }) => (
        <button
          key={id}
          type="button"
          role="radio"
          aria-checked={theme === id}
          title={`${label} theme`}
          aria-label={`${label} theme`}
          onClick={() => setTheme(id)}
          className={`flex h-6 flex-1 items-center justify-center rounded-sm transition-colors ${theme === id ? 'bg-hover text-ink' : 'text-faint hover:text-ink'}`}
        >
          <Icon size={13} />
        </button>
      ))}
    </div>
  );
}

function Account({ onHelp }: { onHelp: () => void }) {
  const session = useQuery(sessionQuery);
  const status = useQuery(statusQuery);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const signOut = async (): Promise<void> => {
    await call(api.DELETE('/api/v1/session'));
    queryClient.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className={`${item} w-full`} title="Account">
          <UserRound size={16} className="shrink-0 text-faint" aria-hidden />
          <span className="min-w-0 text-left leading-tight max-lg:sr-only">
            <span className="block truncate">{session.data?.key_name ?? '…'}</span>
          </span>
        </button>
      }
    >
      <MenuLabel>
        Project {session.data?.project ?? '…'} · Signalbox {status.data?.version ?? ''}
      </MenuLabel>
      <MenuItem icon={<BookOpen size={14} />} onSelect={() => window.open('/api/docs', '_blank', 'noopener')}>
        API reference
      </MenuItem>
      <MenuItem icon={<CircleHelp size={14} />} onSelect={onHelp}>
        Keyboard shortcuts
      </MenuItem>
      <MenuLine />
      <MenuItem icon={<LogOut size={14} />} onSelect={() => void signOut()}>
        Sign out
      </MenuItem>
    </Menu>
  );
}

/** Navigation on the left, the page beside it, palette and help over both. */
export function Shell() {
  const [popup, setPopup] = useState<'palette' | 'help'>();
  const navigate = useNavigate();
  const go = (page: Page): Shortcut => ({
    keys: `g ${page.key}`,
    label: page.title,
    group: 'Go to',
    run: () => void navigate({ to: page.to }),
  });
  useShortcuts([
    { keys: 'mod+k', label: 'Command palette', group: 'Anywhere', run: () => setPopup('palette') },
    { keys: '?', label: 'This help', group: 'Anywhere', run: () => setPopup('help') },
    ...pages.map(go),
  ]);
  return (
    <div className="flex h-full">
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to the page
      </a>
      <nav
        aria-label="Main"
        className="flex w-14 shrink-0 flex-col gap-4 border-r border-line bg-surface px-2 pb-3 lg:w-52"
      >
        <Link
          to="/"
          className="flex h-14 items-center gap-2 px-2 max-lg:justify-center"
          aria-label="Signalbox"
        >
          <Logo />
          <span className="text-[0.9375rem] font-semibold tracking-tight max-lg:hidden">Signalbox</span>
        </Link>
        <button
          type="button"
          onClick={() => setPopup('palette')}
          className="-mt-2 flex h-8 items-center gap-2 rounded-md border border-line bg-bg px-2 text-sm text-faint transition-colors hover:border-line-strong hover:text-ink max-lg:justify-center"
          aria-keyshortcuts="Control+K Meta+K"
          title="Search and commands"
        >
          <Search size={14} className="shrink-0" aria-hidden />
          <span className="max-lg:sr-only">Search</span>
          <span className="ml-auto flex gap-0.5 max-lg:hidden" aria-hidden>
            <Kbd>{modKey}</Kbd>
            <Kbd>K</Kbd>
          </span>
        </button>
        {/* On low screens the pages scroll, and the account stays. */}
        <div className="-mx-2 flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-2">
          {(['Observe', 'Evaluate', 'Settings'] as const).map((group) => (
            <div key={group} className="flex flex-col gap-0.5">
              <div className="eyebrow px-2 pb-1 max-lg:hidden">{group}</div>
              {pages
                .filter((page) => page.group === group)
                .map((page) => (
                  <NavLink key={page.to} page={page} />
                ))}
            </div>
          ))}
        </div>
        <div className="flex flex-col gap-2">
          <ThemeToggle />
          <Account onHelp={() => setPopup('help')} />
        </div>
      </nav>
      <main id="page" tabIndex={-1} className="flex min-w-0 flex-1 flex-col overflow-hidden outline-none">
        <ConfigNotice />
        <Outlet />
      </main>
      <Suspense>
        {popup === 'palette' && (
          <Palette onClose={() => setPopup(undefined)} onHelp={() => setPopup('help')} />
        )}
        {popup === 'help' && <Help onClose={() => setPopup(undefined)} />}
      </Suspense>
    </div>
  );
}
