/** The entries of the worked examples in the shared list of methods, as docs/adding-a-method.md prints them. */
import type { MethodEntry } from '../methods/every-method.js';

export const exampleEntries: readonly MethodEntry[] = [
  {
    method: 'vatp',
    samples: [{ ratio: 0.5, window: 8, sinks: 2 }, { budget: 40 }],
    identity: [{ ratio: 0 }, { budget: 200 }],
    rising: [{ ratio: 0.25 }, { ratio: 0.5 }, { ratio: 0.75 }],
    refused: [{ ratio: 0.5 }],
    alwaysKept: ({ window, sinks }) => ({ first: sinks as number, last: window as number }),
  },
  {
    method: 'key_magnitude',
    samples: [{ ratio: 0.5 }, { ratio: 0.9 }],
    identity: [{ ratio: 0 }],
    rising: [{ ratio: 0.25 }, { ratio: 0.5 }, { ratio: 0.75 }],
    refused: [{ ratio: 0.001 }],
  },
];
