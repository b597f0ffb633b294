/**
 * Every method of the registry, once: the parameters under which the shared properties are checked.
 *
 * A new method is one more entry here (docs/adding-a-method.md). Parameters are written as in a spec; they meet prompts
 * of 200 tokens of a tiny model (head width 64) and random layers of 1 to 60 tokens.
 */
export type Params = Readonly<Record<string, unknown>>;

export interface MethodEntry {
  readonly method: string;
  /** Each compresses the tiny model's 200 tokens; the first also what another method leaves of them, half or more. */
  readonly samples: readonly Params[];
  /** Each asks for nothing there and leaves the full cache. */
  readonly identity: readonly Params[];
  /** Rising compression: the cache of the tiny model takes fewer bytes from one to the next. */
  readonly rising: readonly Params[];
  /** Each asks for something that a prompt of 8 tokens cannot give: an error, not a full cache. */
  readonly refused: readonly Params[];
  /** First and last tokens of the prompt that stay whatever is asked, where the method promises it; defaults filled in. */
  readonly alwaysKept?: (params: Params) => { readonly first: number; readonly last: number };
}

/** 0.25, 0.5 and 0.75 of everything removed. */
const ratios = (others: Params = {}): Params[] => [0.25, 0.5, 0.75].map((ratio) => ({ ...others, ratio }));

/** The parameter that holds the number of last tokens that always stay. */
const last = (name: string) => (params: Params) => ({ first: 0, last: params[name] as number });

export const everyMethod: readonly MethodEntry[] = [
  {
    method: 'streaming_llm',
    samples: [{ ratio: 0.5 }, { budget: 20 }, { budget: 9, sinks: 8 }],
    identity: [{ ratio: 0 }, { budget: 200 }, { budget: 1000, sinks: 0 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }, { ratio: 0.5, sinks: 8 }],
    alwaysKept: ({ sinks }) => ({ first: sinks as number, last: 1 }),
  },
  {
    method: 'snapkv',
    samples: [
      { ratio: 0.5, window: 8 },
      { budget: 80 },
      { budget: 20, window: 4, kernel: 1 },
      { budget: 40, window: 8, kernel: 7, pool: 'maximum' },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios({ window: 8 }),
    refused: [{ ratio: 0.5 }],
    alwaysKept: last('window'),
  },
  {
    method: 'think',
    samples: [
      { ratio: 0.5, recent: 8 },
      { ratio: 0.4, recent: 4, window: 4 },
      { ratio: 0.8, variant: 'kvpress' },
      { ratio: 0.5, mask: 'query_head', recent: 4 },
      { ratio: 0, value_ratio: 0.3, window: 4 },
      { ratio: 0.5, value_ratio: 0.5, mask: 'query_head', variant: 'kvpress' },
    ],
    identity: [{ ratio: 0 }],
    rising: ratios(),
    refused: [{ ratio: 0.5 }, { ratio: 0.001, variant: 'kvpress' }],
  },
  {
    method: 'spark',
    samples: [
      { ratio: 0.5 },
      { ratio: 0.8, window: 4, recovery: 'none' },
      { ratio: 0.5, value_ratio: 0.5, saliency: 'paper', reduce: 'mean', rounding: 'floor' },
      { ratio: 0.5, recovery: 'normal', recent: 4 },
      { ratio: 0.8, recovery: 'exponential', clip: 'threshold', seed: 7 },
      { adaptive: 'p', threshold: 0.9, recovery: 'none' },
      { adaptive: 'g4' },
      { adaptive: 'g5', recent: 4, value_ratio: 0.5 },
    ],
    identity: [{ ratio: 0 }, { ratio: 0, value_ratio: 0 }],
    rising: ratios(),
    refused: [{ ratio: 0.001 }, { ratio: 0.5, value_ratio: 0.001 }],
  },
  {
    method: 'pyramidkv',
    samples: [
      { ratio: 0.5, window: 8, beta: 2 },
      { ratio: 0.5, window: 8 },
      { budget: 40, window: 4 },
      { budget: 100, window: 2, kernel: 1, beta: 2, variant: 'corrected' },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios({ window: 8 }),
    refused: [{ ratio: 0.5 }],
    alwaysKept: last('window'),
  },
  {
    method: 'expected_attention',
    samples: [
      { ratio: 0.5 },
      { budget: 20, sinks: 0, covariance: false, horizon: 16 },
      { budget: 40, value_norm: false },
      { budget: 12, epsilon: 0.01 },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
    alwaysKept: ({ sinks }) => ({ first: sinks as number, last: 0 }),
  },
  {
    method: 'knorm',
    // At 0.5 the border lies between two positions of one token, whose keys in layer 0 are of equal norm but for rounding.
    samples: [{ ratio: 0.4 }, { budget: 10 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
  },
  {
    method: 'keydiff',
    samples: [{ ratio: 0.5 }, { budget: 10 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
  },
  {
    method: 'cur',
    samples: [
      { ratio: 0.51, leverage: 'key' },
      { ratio: 0.5 },
      { budget: 20, leverage: 'value', window: 7 },
      { budget: 40, leverage: 'kv_avg', sinks: 0, random_leverage: true, seed: 3 },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
    alwaysKept: ({ sinks }) => ({ first: sinks as number, last: 0 }),
  },
  {
    method: 'lagkv',
    samples: [
      { ratio: 0.5, lag: 16 },
      { ratio: 0.5 },
      { budget: 40, lag: 10, sinks: 2, cross_scoring: true },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios({ lag: 16 }),
    refused: [{ ratio: 0.9 }],
    alwaysKept: ({ sinks }) => ({ first: sinks as number, last: 0 }),
  },
  {
    method: 'leverage',
    samples: [{ ratio: 0.5 }, { budget: 20, sketch: 16, seed: 1 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
  },
  {
    method: 'noncausal',
    samples: [{ ratio: 0.45 }, { budget: 20, chunk: 64 }, { ratio: 0.5, variant: 'scaled', chunk: 50 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
  },
  {
    method: 'compactor',
    samples: [
      { ratio: 0.5 },
      { budget: 30, chunk: 64, blending: 0.35 },
      { ratio: 0.5, first: 2, last: 0, variant: 'scaled', sketch: 16 },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.5, first: 4 }],
    alwaysKept: ({ first, last: end }) => ({ first: first as number, last: end as number }),
  },
  {
    method: 'dropkv',
    samples: [
      { ratio: 0.5, window: 8 },
      { budget: 20, window: 4 },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios({ window: 8 }),
    refused: [{ ratio: 0.5 }],
    alwaysKept: last('window'),
  },
  {
    method: 'cap',
    samples: [{ ratio: 0.5 }, { budget: 20, tau: 1, horizon: 16, sinks: 0 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
    alwaysKept: ({ sinks }) => ({ first: sinks as number, last: 0 }),
  },
  {
    method: 'finch',
    samples: [
      { ratio: 0.5, window: 8 },
      { budget: 40, window: 4, normalize: false, rerotate: false },
      { ratio: 0.5, window: 4, chunk: 50 },
    ],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios({ window: 8 }),
    refused: [{ ratio: 0.5 }],
    alwaysKept: last('window'),
  },
  {
    method: 'simlayerkv',
    samples: [
      { threshold: 0.35, recent: 100 },
      { threshold: 0.1, recent: 20 },
      { threshold: 0, initial: 0, recent: 30 },
    ],
    identity: [{ threshold: 1 }],
    rising: [0.4, 0.25, 0].map((threshold) => ({ threshold, recent: 64 })),
    refused: [],
  },
  {
    method: 'random',
    samples: [{ ratio: 0.5 }, { budget: 10, seed: 3 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
  },
  {
    method: 'tova',
    samples: [{ ratio: 0.5 }, { budget: 20 }, { budget: 40, while_decoding: true }],
    identity: [{ ratio: 0 }, { budget: 200 }, { budget: 300, while_decoding: true }],
    rising: ratios(),
    refused: [{ ratio: 0.9 }],
    alwaysKept: ({ while_decoding }) => ({ first: 0, last: while_decoding === true ? 0 : 1 }),
  },
  {
    method: 'h2o',
    samples: [
      { ratio: 0.5 },
      { budget: 60, variant: 'prefill', recent: 8 },
      { budget: 20, variant: 'window', recent: 4 },
      { ratio: 0.5, variant: 'original' },
      { budget: 20, variant: 'original', recent: 4 },
    ],
    identity: [{ ratio: 0 }, { budget: 200, variant: 'window' }, { budget: 300, variant: 'original' }],
    rising: ratios({ variant: 'original' }),
    refused: [{ ratio: 0.9 }, { ratio: 0.5, variant: 'prefill' }],
    alwaysKept: ({ variant, recent = 32 }) => ({
      first: 0,
      last: variant === 'prefill' || variant === 'window' ? (recent as number) : 0,
    }),
  },
  {
    method: 'morphkv',
    samples: [
      { ratio: 0.5, window: 8 },
      { budget: 40, window: 8, fusion: 'max', evict_at: 'first_decode' },
      { budget: 12, window: 4, select: 'softmax_mean' },
    ],
    identity: [{ ratio: 0 }, { budget: 300 }, { budget: 300, evict_at: 'first_decode', fusion: 'max' }],
    rising: ratios({ window: 8 }),
    refused: [{ ratio: 0.5 }],
  },
  {
    method: 'adakv',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5 },
      { base: 'snapkv', with: { window: 4 }, budget: 20, alpha: 0 },
      { base: 'snapkv', with: { window: 8 }, ratio: 0.7, variant: 'original' },
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5, alpha: 1 },
      { base: 'knorm', ratio: 0.5, variant: 'original', normalize: false },
      { base: 'expected_attention', budget: 20, alpha: 0.5 },
      { base: 'tova', ratio: 0.5 },
      { base: 'pyramidkv', with: { window: 8, beta: 2 }, ratio: 0.5 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'snapkv', budget: 200, variant: 'original' },
    ],
    rising: ratios({ base: 'snapkv', with: { window: 8 } }),
    refused: [{ base: 'snapkv', ratio: 0.5 }],
    alwaysKept: ({ base, with: own }) =>
      base === 'snapkv' || base === 'pyramidkv'
        ? last('window')(own as Params)
        : { first: base === 'expected_attention' ? 4 : 0, last: base === 'tova' ? 1 : 0 },
  },
  {
    method: 'criticalkv',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5 },
      { base: 'snapkv', with: { window: 4 }, budget: 20, adaptive: true },
      { base: 'knorm', ratio: 0.5, first_stage: 0 },
      { base: 'h2o', ratio: 0.5, epsilon: 0, adaptive: true, alpha: 1 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'snapkv', budget: 200, adaptive: true },
    ],
    rising: ratios({ base: 'snapkv', with: { window: 8 } }),
    refused: [{ base: 'snapkv', ratio: 0.5 }],
  },
  {
    method: 'chunkkv',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5, chunk: 10 },
      { base: 'knorm', ratio: 0.5, chunk: 16 },
      { base: 'keydiff', budget: 40, chunk: 7 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'snapkv', budget: 200 },
    ],
    rising: ratios({ base: 'keydiff', chunk: 10 }),
    refused: [{ base: 'snapkv', ratio: 0.5 }],
  },
  {
    method: 'entropy_gated',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5 },
      { base: 'keydiff', budget: 40, chunk: 16, low: 3 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'snapkv', budget: 200 },
    ],
    rising: ratios({ base: 'keydiff' }),
    refused: [{ base: 'snapkv', ratio: 0.5 }],
  },
  {
    method: 'chunk',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5, chunk: 50 },
      { base: 'keydiff', ratio: 0.55, chunk: 30 },
      { base: 'expected_attention', budget: 60, chunk: 64 },
      { base: 'h2o', ratio: 0.5, chunk: 64 },
      { base: 'leverage', ratio: 0.5, chunk: 64 },
      { base: 'compactor', budget: 90, chunk: 64, with: { chunk: 32 } },
      { base: 'cap', ratio: 0.5, chunk: 100 },
      { base: 'dropkv', with: { window: 4 }, ratio: 0.5, chunk: 64 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'keydiff', budget: 200 },
    ],
    rising: ratios({ base: 'keydiff', chunk: 40 }),
    refused: [{ base: 'snapkv', ratio: 0.5, chunk: 200 }],
  },
  {
    method: 'block',
    samples: [
      { base: 'keydiff', ratio: 0.5, block: 50 },
      { base: 'keydiff', budget: 40, block: 16 },
      { base: 'cur', ratio: 0.5, block: 32 },
      { base: 'lagkv', with: { lag: 8 }, budget: 90, block: 32 },
    ],
    identity: [
      { base: 'keydiff', ratio: 0 },
      { base: 'keydiff', budget: 200 },
    ],
    rising: ratios({ base: 'keydiff' }),
    refused: [{ base: 'keydiff', ratio: 0.9 }],
  },
  {
    method: 'merge',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5 },
      { base: 'knorm', ratio: 0.4, threshold: 0.3, fraction: 0.5 },
      { base: 'keydiff', budget: 20, fraction: 0.75 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'snapkv', budget: 200 },
    ],
    rising: ratios({ base: 'keydiff' }),
    refused: [{ base: 'snapkv', ratio: 0.5 }],
  },
  {
    method: 'rerotate',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratio: 0.5 },
      { base: 'keydiff', budget: 20 },
    ],
    identity: [
      { base: 'snapkv', ratio: 0 },
      { base: 'snapkv', budget: 200 },
    ],
    rising: ratios({ base: 'keydiff' }),
    refused: [{ base: 'snapkv', ratio: 0.5 }],
  },
  {
    method: 'per_layer',
    samples: [
      { base: 'snapkv', with: { window: 8 }, ratios: { '0-1': 0.5, 2: 0.7 } },
      { base: 'keydiff', ratios: { 0: 0.3, 2: 0.8 } },
    ],
    identity: [{ base: 'snapkv', ratios: { '0-2': 0 } }, { base: 'keydiff' }],
    rising: [0.25, 0.5, 0.75].map((ratio) => ({ base: 'keydiff', ratios: { '0-1': ratio } })),
    refused: [{ base: 'snapkv', ratios: { 0: 0.5 } }],
  },
  {
    method: 'dbudgetkv',
    samples: [
      { threshold: 0.3, whole_layers: [] },
      { threshold: 0.1, order: 'h2o' },
      { rows: 8, norm: 'all', whole_layers: [] },
    ],
    identity: [{ whole_layers: [0, 1, 2] }],
    rising: [0.02, 0.2, 0.6].map((threshold) => ({ threshold, whole_layers: [] })),
    refused: [],
  },
  {
    method: 'recalkv',
    samples: [{ ratio: 0.5 }, { ratio: 0.75, ranks: 'uniform', multiple: 8 }],
    identity: [],
    rising: ratios(),
    refused: [],
  },
  {
    method: 'kivi',
    samples: [
      { residual: 32 },
      { bits: 4, group: 16, residual: 16 },
      { key_bits: 8, value_bits: 2, group: 5, residual: 5 },
    ],
    identity: [{ residual: 256 }],
    rising: [8, 4, 2].map((bits) => ({ bits, residual: 32 })),
    refused: [],
  },
  {
    method: 'quant',
    samples: [{}, { bits: 4, group: 24 }, { bits: 2, group: 16 }],
    identity: [],
    rising: [8, 4, 2].map((bits) => ({ bits })),
    refused: [],
  },
];
