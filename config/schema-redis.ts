import { z } from 'zod';

const path = z.string().min(1);

/** `redisTls`: files of a TLS connection to Redis, in PEM form, relative to the configuration file. */
export const redisTlsSchema = z.strictObject({
  ca: path.optional().meta({
    description:
      'File with the authorities (PEM) that may have signed the certificates of Redis and its Sentinels. Absent: those that Node knows.',
  }),
  certificate: path.optional().meta({
    description: 'File with the certificate (PEM) that is shown to Redis and its Sentinels, and after it those that lead to its authority.',
  }),
  key: path.optional().meta({ description: 'File with the private key (PEM, not encrypted) of `certificate`.' }),
  serverName: z.string().min(1).max(253).optional().meta({
    description: 'Name that the certificates of all servers are checked for, and that is sent to them (SNI). Absent: the host of each.',
  }),
});
