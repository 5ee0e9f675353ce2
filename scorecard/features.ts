import type { Feature } from './feature.ts';
import { ERRORS } from './features/errors.ts';
import { FIELDS } from './features/fields.ts';
import { FORMATS } from './features/formats.ts';
import { LISTS } from './features/lists.ts';
import { MEDIA } from './features/media.ts';
import { MESSAGES } from './features/messages.ts';
import { REASONING } from './features/reasoning.ts';
import { SAMPLING } from './features/sampling.ts';
import { SURFACE } from './features/surface.ts';
import { TOOL_FEATURES } from './features/tools.ts';

/** Every row of the card, in the order it is printed. */
export const FEATURES: readonly Feature[] = [
  ...MESSAGES,
  ...TOOL_FEATURES,
  ...FORMATS,
  ...SAMPLING,
  ...REASONING,
  ...MEDIA,
  ...FIELDS,
  ...LISTS,
  ...ERRORS,
  ...SURFACE,
];
