import type { Config } from '../../config/config.ts';
import type { RouteTable } from '../../relay/routing/route-table.ts';

/** One difference between two configurations, in words without secrets. `less`: somebody may do less than before. */
export interface Change {
  readonly effect: 'less' | 'more' | 'other' | 'restart';
  readonly text: string;
}

/** A configuration and where it leads. */
export interface Routed {
  readonly config: Config;
  readonly relay: { readonly routes: RouteTable };
}

const SIGNS = { less: '-', more: '+', other: '~', restart: '!' } as const;

export const changeLine = ({ effect, text }: Change): string => `${SIGNS[effect]} ${text}`;

/** Of both, each once, the old ones first. */
export const namesOf = (old: object, next: object): string[] => [...new Set([...Object.keys(old), ...Object.keys(next)])];
