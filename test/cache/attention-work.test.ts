/** Attention written down for threads: the same bits as at once, on this thread. */
import { expect } from 'chai';
import fc from 'fast-check';
import { workOf } from '../../src/cache/attention-work.js';
import { encodeLayer } from '../../src/cache/layer-cache.js';
import { Crew } from '../../src/kernels/crew.js';
import { openKernels } from '../../src/kernels/index.js';
import { cases, randomNumbers } from './support.js';

describe('attention on a crew', () => {
  const crews: Crew[] = [];
  before(async () => {
    for (const threads of [1, 3]) crews.push(await Crew.open(threads, 2));
  });
  after(() => {
    for (const crew of crews) crew.close();
  });

  it('equals attention at once, bit for bit, of several rows together', () => {
    const kernels = openKernels();
    const { memory } = kernels;
    fc.assert(
      fc.property(fc.array(cases, { minLength: 1, maxLength: 3 }), (rows) => {
        const steps = rows.map(({ trace, plan, dtype, tokens, random }) => {
          const size = tokens * trace.heads * trace.headDim;
          const kv = tokens * trace.kvHeads * trace.headDim;
          const [keys, values] = [randomNumbers(kv, random), randomNumbers(kv, random)];
          const open = (): ReturnType<typeof encodeLayer> => {
            const cache = encodeLayer(trace, plan, dtype, kernels);
            cache.append(keys, values, tokens);
            return cache;
          };
          return { open, tokens, queries: randomNumbers(size, random), stride: (4 * size) / tokens };
        });
        const alone = steps.map(({ open, tokens, queries }) => {
          const cache = open();
          const out = new Float32Array(queries.length);
          cache.attend(queries, tokens, out);
          cache.free();
          return out;
        });
        for (const crew of crews) {
          const work = workOf(crew, memory);
          const running = steps.map(({ open, tokens, queries, stride }) => {
            const pointer = memory.alloc(8 * queries.length);
            memory.floats(pointer, queries.length).set(queries);
            const out = pointer + 4 * queries.length;
            const place = { queries: pointer, queryStride: stride, out, outStride: stride };
            return { cache: open(), tokens, place, count: queries.length };
          });
          for (const { cache, tokens, place } of running) cache.attendTurn(0, tokens, place, work);
          crew.run(memory);
          running.forEach(({ cache, place, count }, r) => {
            const got = memory.floats(place.out, count).slice();
            expect(Buffer.compare(Buffer.from(got.buffer), Buffer.from(alone[r]!.buffer))).to.equal(0);
            cache.free();
            memory.free(place.queries);
          });
        }
      }),
      { numRuns: 100 },
    );
  });
});
