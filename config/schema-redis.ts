import { z } from 'zod';

const path = z.string().min(1);

/** `redisTls`: files of a TLS connection to Redis, in PEM form, relative to the configuration file. */
export const redisTlsSchema = z.strictObject({
  ca: path.optional().meta({
    description: 'PEM file with the certificate authorities to trust for Redis and its Sentinels. Absent: the ones that Node trusts.',
  }),
  certificate: path.optional().meta({
    description:
      'PEM file with the client certificate for Redis and its Sentinels, followed by its intermediate certificates. Requires `key`.',
  }),
  key: path.optional().meta({ description: 'PEM file with the private key of `certificate`. It must not be encrypted.' }),
  serverName: z.string().min(1).max(253).optional().meta({
    description: 'Name that the certificates of all servers must have; it is also sent to them (SNI). Absent: the host of each server.',
  }),
});
