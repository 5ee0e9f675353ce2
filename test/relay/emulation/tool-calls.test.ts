import { describe, expect, test } from 'vitest';
import { CallFilter } from '../../../relay/emulation/call-filter.ts';
import { MustCall } from '../../../relay/emulation/must-call.ts';
import { Recorder } from '../recorder.ts';

describe('a call that must come', () => {
  test('text waits for the call; thinking does not', () => {
    const recorder = new Recorder();
    const must = new MustCall(recorder, null);
    must.reasoning(0, 'hm');
    must.text(0, 'I will ');
    must.text(0, 'call.');
    expect(recorder.events).toEqual(['reasoning 0 hm']);
    must.tool(0, 0, 'id', 'f');
    must.args(0, 0, '{}');
    must.text(0, ' Done');
    must.finish(0, 'tool_calls');
    expect(recorder.events.slice(1)).toEqual([
      'text 0 I will call.',
      'tool 0.0 id f',
      'args 0.0 {}',
      'text 0  Done',
      'finish 0 tool_calls',
    ]);
  });

  test.each(['stop', 'tool_calls'] as const)('an answer without it that ends with %s is a promise not kept', (reason) => {
    const recorder = new Recorder();
    const must = new MustCall(recorder, 'f');
    must.text(0, 'no');
    must.finish(0, reason);
    expect(must.broken?.message).toContain("did not call the function 'f'");
    expect(recorder.events).toEqual([]);
    // Told only now: what the vendor counted is known.
    expect(() => must.usage({ prompt: 1, completion: 2, cached: 0, reasoning: 0 })).toThrow("did not call the function 'f'");
    expect(recorder.events).toEqual(['usage 1+2']);
  });

  test.each(['length', 'content_filter'] as const)('one that was stopped with %s is none', (reason) => {
    const recorder = new Recorder();
    const must = new MustCall(recorder, null);
    must.text(0, 'so f');
    must.finish(0, reason);
    expect(recorder.events).toEqual(['text 0 so f', `finish 0 ${reason}`]);
  });

  test('another function is not the named one', () => {
    const must = new MustCall(new Recorder(), 'f');
    expect(() => must.tool(0, 0, 'id', 'g')).toThrow("did not call the function 'f'");
  });

  test('each choice must call', () => {
    const must = new MustCall(new Recorder(), null);
    must.tool(0, 0, 'id', 'f');
    must.finish(0, 'tool_calls');
    expect(must.broken).toBeNull();
    must.finish(1, 'stop');
    expect(must.broken?.message).toContain('did not call a function');
  });

  test('what is held is bounded', () => {
    const must = new MustCall(new Recorder(), null);
    must.text(0, 'x'.repeat(1024 * 1024));
    expect(() => must.text(0, 'x')).toThrow('did not call');
  });
});

describe('the filter of calls', () => {
  const play = (rules: Partial<ConstructorParameters<typeof CallFilter>[1]>): string[] => {
    const recorder = new Recorder();
    const filter = new CallFilter(recorder, { firstOnly: false, none: false, names: undefined, ...rules });
    filter.reasoning(0, 'hm');
    filter.text(0, 'hi');
    filter.tool(0, 0, 'i', 'f_');
    filter.tool(0, 1, 'j', 'g');
    filter.args(0, 0, '{');
    filter.args(0, 1, '[');
    filter.tool(1, 0, 'k', 'constructor');
    filter.finish(0, 'tool_calls');
    filter.finish(1, 'length');
    filter.usage({ prompt: 1, completion: 2, cached: 0, reasoning: 0 });
    return recorder.events.slice(2);
  };
  const END = ['finish 0 tool_calls', 'finish 1 length', 'usage 1+2'];

  test.each<[string, Parameters<typeof play>[0], string[]]>([
    ['nothing', {}, ['tool 0.0 i f_', 'tool 0.1 j g', 'args 0.0 {', 'args 0.1 [', 'tool 1.0 k constructor', ...END]],
    ['the first only', { firstOnly: true }, ['tool 0.0 i f_', 'args 0.0 {', 'tool 1.0 k constructor', ...END]],
    ['none', { none: true }, ['finish 0 stop', 'finish 1 length', 'usage 1+2']],
    [
      'names',
      { names: new Map([['f_', 'f']]) },
      ['tool 0.0 i f', 'tool 0.1 j g', 'args 0.0 {', 'args 0.1 [', 'tool 1.0 k constructor', ...END],
    ],
  ])('%s', (_name, rules, wanted) => expect(play(rules)).toEqual(wanted));
});
