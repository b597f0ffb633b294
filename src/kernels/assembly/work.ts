/**
 * Work: kernel calls written down by one thread, done by all that come.
 *
 * A tape holds items, each a few calls in a row, and a counter from which every thread takes the next item, so that a
 * thread that sleeps holds nobody up. What an item computes does not depend on who does it.
 *
 * Layout, 32-bit words: next item, items done, number of items, whether somebody waits, address of the first call; from byte 64
 * on where each item begins, and where the last one ends. A call is its kernel and number of arguments (`kernel | count <<
 * 8`), a bit for each argument that is an address in the arena, then the arguments. The arena is scratch of which each
 * thread has its own, `shift` bytes behind the one that is written down.
 */
import { gather, scatterAdd } from './columns';
import { accumulateDense } from './dense-accumulate';
import { scoreDense } from './dense-score';
import { rebuildRows, rotateRows } from './latent';
import { dequantiseChannels, dequantiseTokens } from './quantised';
import { activateRow, addRows, addScaled, bestOf, normRows, rotateHeads } from './layers';
import { multiplyRows } from './products';
import { copyRows, fillRows, maskColumns } from './rows';
import { capRows, softmaxRows } from './softmax';
import { accumulateSparse, recoverQuantised, scoreSparse } from './sparse';
import { widenRows, widenTransposed } from './weights';

// @ts-ignore: decorator
@inline
const DONE: usize = 4;
// @ts-ignore: decorator
@inline
const COUNT: usize = 8;
// @ts-ignore: decorator
@inline
const WAITED_FOR: usize = 12;
// @ts-ignore: decorator
@inline
const STARTS: usize = 64;

/** Takes items until none is left. */
export function work(tape: usize, shift: usize): void {
  for (;;) {
    const item = <usize>atomic.add<u32>(tape, 1);
    if (item >= <usize>atomic.load<u32>(tape, COUNT)) return;
    const start = tape + STARTS + (item << 2);
    const end = load<u32>(start, 4);
    for (let at = <usize>load<u32>(start); at < end; ) at = call(at, shift);
    atomic.add<u32>(tape, 1, DONE);
    if (atomic.load<u32>(tape, WAITED_FOR) != 0) atomic.notify(tape + DONE, 1);
  }
}

/** Where the arguments of the call being done are, its arena bits, and the thread's shift. */
let args: usize = 0;
let inArena: u32 = 0;
let ownShift: usize = 0;

// @ts-ignore: decorator
@inline
function n(i: usize): usize {
  return load<u32>(args + (i << 2));
}

// @ts-ignore: decorator
@inline
function f(i: usize): f32 {
  return load<f32>(args + (i << 2));
}

/** An address. */
// @ts-ignore: decorator
@inline
function p(i: usize): usize {
  return n(i) + (((inArena >> (<u32>i)) & 1) != 0 ? ownShift : 0);
}

/** Does the call at `at`; where the next one is. The numbers are those of `kernels/calls.ts`. */
function call(at: usize, shift: usize): usize {
  const head = load<u32>(at);
  inArena = load<u32>(at, 4);
  ownShift = shift;
  args = at + 8;
  const next = args + ((<usize>head >> 8) << 2);
  switch (head & 255) {
    case 0:
      scoreDense(n(0) != 0, p(1), n(2), n(3), p(4), n(5), p(6), n(7));
      break;
    case 1:
      scoreSparse(n(0) != 0, p(1), p(2), p(3), p(4), p(5), <u32>n(6), n(7), n(8), p(9), n(10), p(11), n(12));
      break;
    case 2:
      softmaxRows(p(0), n(1), n(2), n(3), n(4), f(5));
      break;
    case 3:
      capRows(p(0), n(1), n(2), n(3), f(4));
      break;
    case 4:
      accumulateDense(n(0) != 0, p(1), n(2), n(3), p(4), n(5), n(6), <isize>n(7), n(8), p(9));
      break;
    case 5:
      accumulateSparse(
        n(0) != 0, p(1), p(2), p(3), p(4), p(5), <u32>n(6), n(7), n(8), p(9), n(10), n(11), <isize>n(12), n(13), p(14),
      );
      break;
    case 6:
      gather(p(0), n(1), p(2), n(3), p(4), n(5));
      break;
    case 7:
      scatterAdd(p(0), n(1), p(2), n(3), p(4), n(5));
      break;
    case 8:
      rebuildRows(n(0) != 0, p(1), n(2), p(3), n(4), n(5), p(6), n(7), p(8), p(9));
      break;
    case 9:
      rotateRows(p(0), n(1), n(2), n(3), p(4), p(5), p(6));
      break;
    case 10:
      dequantiseTokens(n(0) != 0, <u32>n(1), p(2), p(3), n(4), n(5), n(6), p(7));
      break;
    case 11:
      dequantiseChannels(n(0) != 0, <u32>n(1), p(2), p(3), n(4), n(5), n(6), n(7), p(8));
      break;
    case 12:
      recoverQuantised(n(0) != 0, <u32>n(1), p(2), p(3), n(4), p(5), p(6), p(7), p(8), <u32>n(9), n(10), n(11), p(12));
      break;
    case 13:
      copyRows(p(0), n(1), p(2), n(3), n(4), n(5));
      break;
    case 14:
      fillRows(p(0), n(1), n(2), n(3), f(4));
      break;
    case 15:
      maskColumns(p(0), p(1), n(2), n(3), n(4), n(5), p(6));
      break;
    case 16:
      multiplyRows(<u32>n(0), p(1), n(2), n(3), n(4), n(5), p(6), n(7), n(8), f(9), p(10), p(11), n(12));
      break;
    case 17:
      normRows(n(0) != 0, p(1), n(2), n(3), n(4), p(5), p(6), f(7), p(8), n(9));
      break;
    case 18:
      addRows(p(0), n(1), p(2), n(3), n(4), n(5));
      break;
    case 19:
      addScaled(p(0), p(1), n(2), f(3));
      break;
    case 20:
      rotateHeads(p(0), n(1), n(2), n(3), n(4) != 0, p(5), p(6));
      break;
    case 21:
      activateRow(<u32>n(0), p(1), p(2), n(3), p(4));
      break;
    case 22:
      bestOf(p(0), n(1), p(2));
      break;
    case 23:
      widenRows(<u32>n(0), p(1), n(2), n(3), n(4), p(5));
      break;
    case 24:
      widenTransposed(<u32>n(0), p(1), n(2), n(3), n(4), p(5), n(6), n(7), p(8));
      break;
    default:
      unreachable();
  }
  return next;
}
