/**
 * An id within a vendor's bounds on its length (characters, counted either way): as it is where it fits, else a digest of 34
 * characters. The same id always gives the same digest, so that the vendor can tell end users apart; it is no secret.
 */
export function boundedId(id: string, min: number, max: number): string {
  const fits = id.length <= max && [...id].length >= min;
  return fits ? id : `u_${digest(id)}`;
}

/** Four multiply-and-rotate lanes over UTF-16 code units, 32 hex digits. Spreads well; does not resist an attacker. */
function digest(text: string): string {
  const factors = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;
  const lanes = factors.map((factor) => (factor ^ text.length) >>> 0);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    for (let lane = 0; lane < 4; lane++) {
      const mixed = Math.imul((lanes[lane] as number) ^ unit, factors[lane] as number);
      lanes[lane] = (mixed << 13) | (mixed >>> 19);
    }
  }
  return lanes
    .map((lane, index) => {
      let sum = lane ^ (lanes[(index + 1) % 4] as number);
      sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
      sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
      return ((sum ^ (sum >>> 16)) >>> 0).toString(16).padStart(8, '0');
    })
    .join('');
}
