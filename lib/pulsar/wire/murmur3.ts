function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(block: number): number {
  return Math.imul(rotateLeft(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

/**
 * MurmurHash3 x86 32 with seed 0 (Appleby) of `bytes[start..end)`, its sign bit cleared as Pulsar's Murmur3_32Hash does. Clients choose
 * partitions by it, brokers the consumers of Key_Shared and Failover subscriptions: both must agree with Java bit for bit.
 */
export function murmur3(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = 0;
  const whole = start + ((end - start) & ~3);
  for (let i = start; i < whole; i += 4) {
    const block = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = (Math.imul(rotateLeft(hash ^ mix(block), 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = end - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  hash ^= mix(tail) ^ (end - start);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) & 0x7fffffff;
}
