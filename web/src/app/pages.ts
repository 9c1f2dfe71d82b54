import {
  Activity,
  BellRing,
  Database,
  FlaskConical,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Megaphone,
  Plug,
  Radar,
  Ruler,
  ShieldCheck,
  Siren,
  Split,
  Table2,
  Target,
  TerminalSquare,
  Waves,
} from 'lucide-react';

/** A page that one can go to. This list makes the navigation, the command palette and the shortcuts. */
export interface Page {
  to:
    | '/'
    | '/traces'
    | '/guardrails'
    | '/query'
    | '/datasets'
    | '/experiments'
    | '/metrics-catalogue'
    | '/online'
    | '/incidents'
    | '/monitors'
    | '/alerting'
    | '/objectives'
    | '/drift'
    | '/routes'
    | '/providers'
    | '/keys'
    | '/data';
  title: string;
  about: string;
  icon: LucideIcon;
  /** `g` and this key go there. */
  key: string;
  group: 'Observe' | 'Evaluate' | 'Settings';
  /** The page is about a range of time, which is kept on the way. */
  ranged?: boolean;
}

export const pages: Page[] = [
  {
    to: '/',
    title: 'Overview',
    about: 'Requests, errors, latency, tokens and cost over time',
    icon: LayoutDashboard,
    key: 'o',
    group: 'Observe',
    ranged: true,
  },
  {
    to: '/traces',
    title: 'Traces',
    about: 'Every call and span, newest first',
    icon: Activity,
    key: 't',
    group: 'Observe',
    ranged: true,
  },
  {
    to: '/guardrails',
    title: 'Guardrails',
    about: 'What must not pass: policies, a text to try, and what was found',
    icon: ShieldCheck,
    key: 'g',
    group: 'Observe',
    ranged: true,
  },
  {
    to: '/incidents',
    title: 'Incidents',
    about: 'What is wrong now, who has taken it, and what happened',
    icon: Siren,
    key: 'i',
    group: 'Observe',
  },
  {
    to: '/monitors',
    title: 'Monitors',
    about: 'What is watched: limits, baselines, budgets, and how they are',
    icon: BellRing,
    key: 'w',
    group: 'Observe',
  },
  {
    to: '/alerting',
    title: 'Alerting',
    about: 'Who is on call, how people are told, messages that nobody got, and silences',
    icon: Megaphone,
    key: 'a',
    group: 'Observe',
  },
  {
    to: '/objectives',
    title: 'Objectives',
    about: 'What most calls must be, what is left of the error budgets, and whether releases wait',
    icon: Target,
    key: 'b',
    group: 'Observe',
  },
  {
    to: '/drift',
    title: 'Drift',
    about: 'Whether what is asked and answered is still what it was',
    icon: Waves,
    key: 'f',
    group: 'Observe',
  },
  { to: '/query', title: 'Query', about: 'SQL over spans', icon: TerminalSquare, key: 'q', group: 'Observe' },
  {
    to: '/datasets',
    title: 'Datasets',
    about: 'What answers are evaluated on: items in versions that never change',
    icon: Table2,
    key: 's',
    group: 'Evaluate',
  },
  {
    to: '/experiments',
    title: 'Experiments',
    about: 'Runs over the same items: what came out, and which is better',
    icon: FlaskConical,
    key: 'e',
    group: 'Evaluate',
  },
  {
    to: '/metrics-catalogue',
    title: 'Metrics',
    about: 'What answers can be measured by: formulas, sources, and a case to try',
    icon: Ruler,
    key: 'm',
    group: 'Evaluate',
  },
  {
    to: '/online',
    title: 'Online evaluation',
    about: 'Which calls are scored as they arrive, by what, and how good they are',
    icon: Radar,
    key: 'l',
    group: 'Evaluate',
    ranged: true,
  },
  {
    to: '/routes',
    title: 'Routes',
    about: 'Who answers under which name, and how each target is doing',
    icon: Split,
    key: 'r',
    group: 'Settings',
  },
  {
    to: '/providers',
    title: 'Providers',
    about: 'Which model providers are on, and why',
    icon: Plug,
    key: 'p',
    group: 'Settings',
  },
  {
    to: '/keys',
    title: 'Keys',
    about: 'Virtual keys of this project',
    icon: KeyRound,
    key: 'k',
    group: 'Settings',
  },
  {
    to: '/data',
    title: 'Data',
    about: 'The store, running queries, erasure, backups',
    icon: Database,
    key: 'd',
    group: 'Settings',
  },
];
