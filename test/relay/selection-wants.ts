import type { ChatRequest } from '../../openai/chat/request.ts';
import { ChatWants } from '../../relay/chat/chat-wants.ts';

/** Three candidates. */
export const THREE = '[q1/a, glm/b, ernie/c]';

/** One token for four characters, as a forecast. */
export const wantsOf = (request: object, key = 'k'): ChatWants => {
  const chat = { model: 'm', messages: [{ role: 'user', content: 'hello' }], ...request } as unknown as ChatRequest;
  const prompt = Math.ceil(JSON.stringify(chat.messages).length / 4);
  return new ChatWants(chat, key, { expected: () => ({ prompt, completion: 100 }) });
};
