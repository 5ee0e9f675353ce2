import { ERRORS, type ErrorName } from '../openai/errors.ts';

/** The generated page of errors: path from the project's root → text. Writes nothing. */
export function generateErrorDocs(): Record<string, string> {
  const rows = (Object.keys(ERRORS) as ErrorName[]).map((name) => {
    const kind: { status: number; type: string; code?: string | null; retry?: false; about: string } = ERRORS[name];
    const code = kind.code === undefined ? `\`${name}\`` : kind.code === null ? '`null`' : `\`${kind.code}\``;
    return `| \`${name}\` | ${kind.status} | \`${kind.type}\` | ${code} | ${kind.retry === false ? 'no' : 'as the SDK decides'} | ${kind.about} |`;
  });
  const text = `# Errors

Generated from \`openai/errors.ts\` (\`npm run docs\`); do not edit.

Every error has OpenAI's form, \`{"error":{"message","type","param","code"}}\`, and every answer has an \`x-request-id\`. In a stream that has begun,
the error is one \`data: {"error":…}\` event, and the stream ends without \`[DONE]\`. For *retry: no* the relay sends \`x-should-retry: false\`, and the
official SDKs do not try again. More about causes: [the guide](../guide/errors.md).

| name | status | type | code | retry | meaning, and what to do |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  return { 'docs/generated/errors.md': text };
}
