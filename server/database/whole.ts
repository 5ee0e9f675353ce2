/** A whole number as a driver gave it: PostgreSQL sends bigint and sums as text, SQLite as bigint or number. The one place that knows. */
export type Driven = number | bigint | string | null;

/** Money: exact at any size. Null (a sum of nothing) is zero. */
export const wholeBig = (value: Driven): bigint => BigInt(value ?? 0);

/** Counts and times. @throws RangeError beyond 2⁵³, rather than a rounded number */
export function whole(value: Driven): number {
  const number = Number(value ?? 0);
  if (!Number.isSafeInteger(number)) throw new RangeError(`a sum in the database is beyond exact numbers: ${value}`);
  return number;
}
