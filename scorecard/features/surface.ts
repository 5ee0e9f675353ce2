import { dicts } from '../contract/shape.ts';
import type { Feature, Probe } from '../feature.ts';
import { must, probe, user } from './prompts.ts';

const row = (id: string, group: string, title: string, probes: Feature['probes'], fields: readonly string[] = []): Feature => ({
  id,
  group,
  title,
  kind: 'chat',
  fields,
  shows: true,
  probes,
});

const get = (path: string, judge: NonNullable<Probe['judge']>): Probe => ({ ask: { method: 'GET', path }, judge });

export const SURFACE: readonly Feature[] = [
  row('models', 'Models', 'The list of models', (_sim, { alias }) => [
    get('/models', ({ json }) => [
      ...must(json?.['object'] === 'list', 'object is not list'),
      ...must(
        dicts(json?.['data']).some(({ id, object, owned_by: owner }) => id === alias && object === 'model' && typeof owner === 'string'),
        `${alias} is not listed`,
      ),
    ]),
  ]),
  row('model', 'Models', 'One model', (_sim, { alias }) => [
    get('/models/:model', ({ json }) => must(json?.['id'] === alias && json['object'] === 'model', 'it is no model')),
  ]),
  row('strict-refused', 'Strict keys', 'What would change the answer is refused by name', () => [
    {
      ask: { key: 'strict', body: { messages: [user('Hello.')], logit_bias: { '50256': -100 } } },
      refusal: { status: 400, code: 'unsupported_parameter', param: 'logit_bias' },
      judge: (_answer, { sent }) => must(sent === null || sent.length === 0, 'the vendor was asked all the same'),
    },
  ]),
  row('strict-taken', 'Strict keys', 'A request that needs no change is answered', () => [
    {
      ...probe({ messages: [{ role: 'system', content: 'Be brief.' }, user('Hello.')], temperature: 0.5 }),
      ask: { key: 'strict', body: { messages: [{ role: 'system', content: 'Be brief.' }, user('Hello.')], temperature: 0.5 } },
    },
  ]),
];
