/**
 * Keys and teams that live in the database, beside those of the file. Every change of a row gives it a revision of its own, one higher than
 * any before: whoever knows a revision reads only what came after it.
 */
export interface StoredTeam {
  readonly name: string;
  /** JSON, as a file would say it under `teams`. */
  readonly settings: string;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  /** From then on every key of the team is refused. */
  readonly removedAtMs: number | null;
  readonly revision: number;
}

export interface StoredKey {
  readonly id: string;
  readonly name: string;
  /** Lower-case hex SHA-256; the key itself is nowhere. */
  readonly digest: string;
  readonly team: string;
  /** JSON, as a file would say it under `keys`, without name, team and key. */
  readonly settings: string;
  readonly createdAtMs: number;
  readonly changedAtMs: number;
  readonly revokedAtMs: number | null;
  readonly revision: number;
}

/** What a running relay asks. Every call throws a `LedgerFault`, in one line, when the database cannot be read. */
export interface AccessReader {
  /** @throws LedgerFault also when the schema is not this release's */
  open(): Promise<void>;
  /** The revision of the last change; cheap enough to be asked several times a second. */
  revision(): Promise<number>;
  /** Rows that changed after a revision, in the order of their changes. Removed teams are among them. */
  teamsAfter(revision: number, most: number): Promise<StoredTeam[]>;
  /** Revoked keys are among them. */
  keysAfter(revision: number, most: number): Promise<StoredKey[]>;
  close(): Promise<void>;
}

/** One change: what it reads stays as it is until the change is written, whoever else writes. */
export interface AccessChange {
  team(name: string): Promise<StoredTeam | null>;
  /** By id; if there is none, by name. */
  key(idOrName: string): Promise<StoredKey | null>;
  /** Inserts, or replaces the row of that name. A change writes one row. */
  putTeam(team: Omit<StoredTeam, 'revision'>): Promise<void>;
  /** Inserts, or replaces the row of that id. */
  putKey(key: Omit<StoredKey, 'revision'>): Promise<void>;
}

export interface AccessStore extends AccessReader {
  /** @throws AccessRefusal of `work`, and nothing has changed; LedgerFault */
  change<T>(work: (change: AccessChange) => Promise<T>): Promise<T>;
}

/** Why a change of keys or teams is not made, in one line for an admin. */
export class AccessRefusal extends Error {
  override readonly name = 'AccessRefusal';
}
