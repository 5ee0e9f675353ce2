/** Billionths as a decimal number, exact, with at least two places: `1234567890n` → `1.23456789`, `2500000000n` → `2.50`. */
export function decimal(nano: bigint): string {
  const digits = (nano < 0n ? -nano : nano).toString().padStart(10, '0');
  const places = digits.slice(-9).replace(/0{1,7}$/, '');
  return `${nano < 0n ? '-' : ''}${digits.slice(0, -9)}.${places}`;
}
