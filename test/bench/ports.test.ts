import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freeOutside } from '../../bench/ports.ts';

test('none within the range, none that is taken, none twice', async () => {
  const [first] = (await freeOutside(32_768, 60_999, 1)) as [number];
  const taken = createServer().listen(first, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const ports = await freeOutside(32_768, 60_999, 2);
    expect(new Set(ports).size).toBe(2);
    expect(ports).not.toContain((taken.address() as AddressInfo).port);
    for (const port of ports) expect(port < 32_768 || port > 60_999).toBe(true);
  } finally {
    taken.close();
  }
});

test('a range that leaves nothing is told', async () => {
  await expect(freeOutside(1024, 65_535, 1)).rejects.toThrow('fewer than 1 ports are free outside 1024 to 65535');
});

test('what lies above the range is taken, too', async () => {
  const [port] = (await freeOutside(1024, 60_999, 1)) as [number];
  expect(port).toBeGreaterThan(60_999);
});
