/** Pulsar's default hash of a message key (`JavaStringHash`): Java's `String.hashCode()`, without its sign bit. */
export function keyHash(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return hash & 0x7fffffff;
}
