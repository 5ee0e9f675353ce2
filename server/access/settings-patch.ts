/**
 * A change of a key's or team's settings: a value replaces, null removes. `limits` and `permit` are changed entry by entry, everything
 * else as a whole.
 */
export interface SettingsPatch {
  readonly limits?: Fields;
  readonly permit?: Fields;
  readonly [field: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** New settings, unchecked; the given ones stay as they are. */
export function patched(settings: Fields, { limits, permit, ...rest }: SettingsPatch): Fields {
  return merged(settings, {
    ...rest,
    ...(limits === undefined ? {} : { limits: block(settings['limits'], limits) }),
    ...(permit === undefined ? {} : { permit: block(settings['permit'], permit) }),
  });
}

/** A block without entries is none. */
function block(before: unknown, changes: Fields): Fields | null {
  const after = merged((before ?? {}) as Fields, changes);
  return Object.keys(after).length === 0 ? null : after;
}

function merged(before: Fields, changes: Fields): Fields {
  const after: Record<string, unknown> = { ...before };
  for (const [field, value] of Object.entries(changes)) {
    if (value === null) delete after[field];
    else if (value !== undefined) after[field] = value;
  }
  return after;
}
