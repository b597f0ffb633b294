/**
 * The held-out rule: which random strings may appear in evaluation samples.
 *
 * The parity of a hash tells. The embedded model (models/spark-nano) learned from prompts of the same form as
 * the RULER tasks, with random keys and values whose FNV-1a hash is odd. Evaluation draws only strings whose hash is
 * even, so that no key or value of a sample can have been seen in training: the model can only answer by reading.
 * Half of all strings remain, chosen by a rule that has nothing to do with what they look like.
 */

/** 32-bit FNV-1a of the UTF-8 bytes. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** True for strings that evaluation may use and training may not. */
export function isHeldOut(text: string): boolean {
  return fnv1a(text) % 2 === 0;
}
