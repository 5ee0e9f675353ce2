/** What a permit may have. */
export type Lists = { vendors?: string[]; regions?: string[]; models?: string[]; callers?: string[] };
