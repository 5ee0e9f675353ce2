/**
 * A change of a key's or team's settings: a value replaces, null removes. `limits`, its `models`, and `permit` are changed entry by entry,
 * everything else as a whole.
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
    ...(limits === undefined ? {} : { limits: limitsAfter((settings['limits'] ?? {}) as Fields, limits) }),
    ...(permit === undefined ? {} : { permit: block(settings['permit'], permit) }),
  });
}

function limitsAfter(before: Fields, changes: Fields): Fields | null {
  const { models } = changes;
  return block(
    before,
    models === undefined || models === null ? changes : { ...changes, models: block(before['models'], models as Fields) },
  );
}

/** A block without entries is none. */
function block(before: unknown, changes: Fields): Fields | null {
  const after = merged((before ?? {}) as Fields, changes);
  return Object.keys(after).length === 0 ? null : after;
}

function merged(before: Fields, changes: Fields): Fields {
  // Not by assignment: a model may be called `__proto__`.
  const after = new Map(Object.entries(before));
  for (const [field, value] of Object.entries(changes)) {
    if (value === null) after.delete(field);
    else if (value !== undefined) after.set(field, value);
  }
  return Object.fromEntries(after);
}
