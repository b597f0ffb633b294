/**
 * ReCalKV's head reordering: which KV heads share a latent of the keys.
 *
 * Heads are grouped greedily, by similarity.
 */
import type { Matrix } from 'ml-matrix';
import { UserError } from '../../../base/errors.js';

/**
 * `released`: a new pair may enter a group with a single free slot; the group's last head then moves on.
 * `strict`: a new pair needs two free slots.
 */
export type Grouping = 'released' | 'strict';

/** How many groups of `groupSize` the heads make. Throws a UserError where they do not come out even. */
export function groupCount(kvHeads: number, groupSize: number): number {
  if (kvHeads % groupSize !== 0) {
    throw new UserError(`recalkv: groups of ${groupSize} do not divide the model's ${kvHeads} KV heads`, {
      hint: `Choose a group size that divides ${kvHeads}.`,
    });
  }
  return kvHeads / groupSize;
}

/**
 * Groups of similar heads (paper section 3.2, HSR; released code `greedy_grouping`).
 *
 * Pairs are walked by falling similarity: two heads without a group enter the first that has room, a single one
 * joins its partner's if that has room. Left-over heads fill the open slots, the largest index first.
 *
 * @param similarity `[KV, KV]`, symmetric
 * @param groups how many, a divisor of KV
 * @returns per group its KV/groups heads, in the order in which they entered
 */
export function groupHeads(similarity: Matrix, groups: number, grouping: Grouping): number[][] {
  const size = similarity.rows / groups;
  const members: number[][] = Array.from({ length: groups }, () => []);
  const groupOf = new Map<number, number[]>();
  const enter = (group: number[], ...heads: number[]) => {
    group.push(...heads);
    for (const head of heads) groupOf.set(head, group);
  };
  const roomForTwo = grouping === 'strict' ? 2 : 1;

  for (const [a, b] of pairsByFalling(similarity)) {
    const ofA = groupOf.get(a);
    const ofB = groupOf.get(b);
    if (ofA === undefined && ofB === undefined) {
      const open = members.find((group) => size - group.length >= roomForTwo);
      if (open !== undefined) enter(open, a, b);
    } else if (ofA === undefined || ofB === undefined) {
      const group = (ofA ?? ofB)!;
      if (group.length < size) enter(group, ofA === undefined ? a : b);
    }
  }

  const rest = Array.from({ length: similarity.rows }, (_, head) => head).filter(
    (head) => !groupOf.has(head),
  );
  for (const group of members) {
    while (group.length < size && rest.length > 0) enter(group, rest.pop()!);
  }
  for (const group of members) {
    while (group.length > size)
      enter(
        members.find(({ length }) => length < size)!,
        group.pop()!,
      );
  }
  return members;
}

/** All pairs of heads, the most similar first, equal ones by index. */
function pairsByFalling(similarity: Matrix): [number, number][] {
  const pairs: [number, number][] = [];
  for (let a = 0; a < similarity.rows; a++) {
    for (let b = a + 1; b < similarity.rows; b++) pairs.push([a, b]);
  }
  return pairs.sort((p, q) => similarity.get(...q) - similarity.get(...p));
}
