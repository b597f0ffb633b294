/**
 * The kernels that attention and decode call, with the kinds of their arguments.
 *
 * A call is done at once, or written down for the threads; either way it is a name and numbers.
 */

/**
 * By kernel, a letter an argument: `p` an address, `f` a float32 number, `n` a whole number, negative ones too. The order is
 * that of the numbers in `assembly/work.ts`.
 */
export const KERNEL_CALLS = {
  scoreDense: 'npnnpnpn',
  scoreSparse: 'npppppnnnpnpn',
  softmaxRows: 'pnnnnf',
  capRows: 'pnnnf',
  accumulateDense: 'npnnpnnnnp',
  accumulateSparse: 'npppppnnnpnnnnp',
  gather: 'pnpnpn',
  scatterAdd: 'pnpnpn',
  rebuildRows: 'npnpnnpnpp',
  rotateRows: 'pnnnppp',
  dequantiseTokens: 'nnppnnnp',
  dequantiseChannels: 'nnppnnnnp',
  recoverQuantised: 'nnppnppppnnnp',
  copyRows: 'pnpnnn',
  fillRows: 'pnnnf',
  maskColumns: 'ppnnnnp',
  multiplyRows: 'npnnnnpnnfppn',
  normRows: 'npnnnppfpn',
  addRows: 'pnpnnn',
  addScaled: 'ppnf',
  rotateHeads: 'pnnnnpp',
  activateRow: 'nppnp',
  bestOf: 'pnp',
  widenRows: 'npnnnp',
  widenTransposed: 'npnnnpnnp',
} as const;

export type KernelCall = keyof typeof KERNEL_CALLS;

/** Does a call, now or later. */
export type Caller = (kernel: KernelCall, ...args: number[]) => void;

interface Signature {
  /** Its number in `assembly/work.ts`. */
  readonly number: number;
  readonly kinds: string;
}

export const SIGNATURES: Readonly<Record<KernelCall, Signature>> = Object.fromEntries(
  Object.entries(KERNEL_CALLS).map(([name, kinds], number) => [name, { number, kinds }]),
) as Record<KernelCall, Signature>;
