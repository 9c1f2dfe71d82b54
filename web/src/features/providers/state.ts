import type { Provider } from '@/api/types';
import { formatDuration } from '@/shared/format/numbers';

export interface RoutedState {
  route: string;
  model: string;
  kind: 'up' | 'trying' | 'left';
  label: string;
  why: string;
}

type Routed = Provider['routed'][number];

function stateOf(target: Routed): Pick<RoutedState, 'kind' | 'label'> {
  switch (target.breaker) {
    case 'open':
      return target.left_alone_ms === undefined
        ? { kind: 'trying', label: 'being tried' }
        : { kind: 'left', label: 'left alone' };
    case 'probing':
      return { kind: 'trying', label: 'next call tries it' };
    case 'resting':
      return { kind: 'trying', label: 'slowed down' };
    case 'closed':
      return target.unwell ? { kind: 'trying', label: 'unwell' } : { kind: 'up', label: 'up' };
  }
}

/** What each route makes of a provider: those that leave it alone first. */
export function liveOf(provider: Provider): RoutedState[] {
  const order = { left: 0, trying: 1, up: 2 };
  const states = provider.routed
    .filter((target) => !target.off)
    .map((target) => {
      const state = stateOf(target);
      const wait =
        state.kind === 'up' || target.left_alone_ms === undefined
          ? ''
          : `, for ${formatDuration(target.left_alone_ms)} more`;
      const error = target.last_error && state.kind !== 'up' ? ` after ${target.last_error}` : '';
      return {
        route: target.route,
        model: target.model,
        ...state,
        why: `${target.model}: ${state.label}${error}${wait}`,
      };
    });
  return states.sort((one, other) => order[one.kind] - order[other.kind]);
}
