import { ERRORS, type ErrorName } from '../openai/errors.ts';

/** The generated page of errors: path from the project's root → text. Writes nothing. */
export function generateErrorDocs(): Record<string, string> {
  const rows = (Object.keys(ERRORS) as ErrorName[]).map((name) => {
    const kind: { status: number; type: string; code?: string | null; retry?: false; about: string } = ERRORS[name];
    const code = kind.code === undefined ? `\`${name}\`` : kind.code === null ? '`null`' : `\`${kind.code}\``;
    return `| \`${name}\` | ${kind.status} | \`${kind.type}\` | ${code} | ${kind.retry === false ? 'no' : 'as the SDK decides'} | ${kind.about} |`;
  });
  const text = `# Errors

Made from \`openai/errors.ts\` by \`npm run docs\`; edit that file, not this one.

Every error has OpenAI's form, \`{"error":{"message","type","param","code"}}\`, and every answer has an \`x-request-id\`. Inside a stream that has begun
an error is one \`data: {"error":…}\` event, after which the stream ends without \`[DONE]\`. *Retry: no* is sent as \`x-should-retry: false\`.

| name | status | type | code | retry | meaning |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  return { 'docs/generated/errors.md': text };
}
