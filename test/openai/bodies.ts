/** Chat bodies to take apart. */
import { expect, test } from 'vitest';
import { checkChatRequest } from '../../openai/chat/check-request.ts';
import { type ErrorName, OpenAIError } from '../../openai/errors.ts';

export const LIMITS = { maxMessages: 20, maxTools: 4 };
export const USER = { role: 'user', content: 'Hi' };
export const TOOL = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } };
export const CALL = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };
export const ASKS = { role: 'assistant', content: null, tool_calls: [CALL] };
export const SCHEMA = { type: 'json_schema', json_schema: { name: 'answer', schema: { type: 'object' } } };

export const body = (fields: Record<string, unknown> = {}): Record<string, unknown> => ({ model: 'gpt-4o', messages: [USER], ...fields });
export const messages = (...list: unknown[]): Record<string, unknown> => body({ messages: list });
export const part = (value: unknown): Record<string, unknown> => messages({ role: 'user', content: [value] });
export const tools = (...list: unknown[]): Record<string, unknown> => body({ tools: list });
export const without = (field: string): Record<string, unknown> => ({ ...body(), [field]: undefined });

export function refusal(request: Record<string, unknown>): OpenAIError {
  try {
    checkChatRequest(request, LIMITS);
  } catch (error) {
    if (error instanceof OpenAIError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

export type Row = [Record<string, unknown>, ErrorName, string, string];

/** The code, the field and how the message begins, of each bad body. */
export function refuseAll(name: string, rows: readonly Row[]): void {
  test.each(rows)(`${name}: %j`, (request, kind, param, message) => {
    const error = refusal(request);
    expect([error.kind, error.details.param]).toEqual([kind, param]);
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.status).toBe(400);
  });
}
