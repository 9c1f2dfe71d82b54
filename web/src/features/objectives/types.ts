/** An objective's words of the API, in the shape that the generated types have. */

export interface BurnRate {
  over: string;
  rate?: number;
  bad: number;
  total: number;
}

export interface BudgetPoint {
  at: string;
  left: number;
  bad: number;
  total: number;
}

export interface Standing {
  from: string;
  to: string;
  good: number;
  bad: number;
  total: number;
  attained?: number;
  objective: number;
  budget: number;
  budget_left: number;
  burn_rates: BurnRate[];
  spent_at?: string;
  frozen: boolean;
  text: string;
  burn_down: BudgetPoint[];
}

export type Definition = Record<string, unknown>;

export interface Objective {
  name: string;
  source: 'config' | 'api' | 'objective';
  monitor: string;
  phase: 'ok' | 'pending' | 'firing' | 'recovering';
  definition: Definition;
  standing?: Standing;
  problem?: string;
}

export interface Tested {
  standing: Standing;
  firings: { from: string; until?: string; text: string }[];
}

export interface ReleaseFreeze {
  frozen: boolean;
  reasons: { objective?: string; budget_left?: number; text: string }[];
  unknown: { objective: string; text: string }[];
  manual?: { reason: string; by: string; since: string; until?: string };
}

export interface WantedFreeze {
  frozen: boolean;
  reason?: string;
  until?: string;
}

interface Answered<Body> {
  responses: { 200: { content: { 'application/json': Body } } };
}
interface Sent<Ask> {
  requestBody: { content: { 'application/json': Ask } };
}
interface Named {
  parameters: { path: { name: string } };
}

/** The routes, as `openapi-fetch` wants to know them. */
export interface ObjectivePaths {
  '/api/v1/objectives': { get: Answered<{ objectives: Objective[] }> };
  '/api/v1/objectives/{name}': {
    get: Named & Answered<Objective>;
    put: Named & Sent<Definition> & Answered<Objective>;
    delete: Named & { responses: { 204: { content?: never } } };
  };
  '/api/v1/objectives/test': { post: Sent<{ objective: Definition }> & Answered<Tested> };
  '/api/v1/release_freeze': {
    get: Answered<ReleaseFreeze>;
    put: Sent<WantedFreeze> & Answered<ReleaseFreeze>;
  };
}
