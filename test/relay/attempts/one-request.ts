import { expect } from 'vitest';
import type { ChatRequest } from '../../../openai/chat/request.ts';
import { NOTHING_HELD, type StageOptions, shown, stage } from './stage.ts';

/** One request, from its beginning to an event and then to its end. */
export async function played(
  stream: boolean,
  options: StageOptions,
  act: (on: ReturnType<typeof stage>, leave: () => void) => void,
  atMs: number,
  more: Partial<ChatRequest> = {},
) {
  const on = stage(options);
  const asked = on.ask(stream, more);
  await on.until(atMs);
  act(on, asked.leave);
  await on.until(4_000);
  expect(asked.told.over).toBe(true);
  expect(on.records).toHaveLength(1);
  expect(on.settlements.filter(({ owner }) => owner === 'team/t')).toHaveLength(1);
  expect(await on.held()).toEqual(NOTHING_HELD);
  expect(on.faults).toEqual([]);
  return { ...on, ...asked, record: on.records[0] as NonNullable<(typeof on.records)[0]>, called: shown(on.records[0]?.attempts ?? []) };
}
