/** Which pipelines share weights. */
import { expect } from 'chai';
import { variantsOf } from '../../src/methods/weights.js';
import { pipelineOf } from '../support/pipelines.js';

describe('variantsOf', () => {
  it('has the model as it is for pipelines that ask for nothing else', () => {
    const pipelines = [pipelineOf(), pipelineOf(['snapkv', { budget: 60, window: 8 }])];
    expect(variantsOf(pipelines)).to.deep.equal([{ request: undefined, pipelines: [0, 1] }]);
  });

  it('has one variant for each request, whatever stands beside it', () => {
    const pipelines = [
      pipelineOf(['recalkv', { ratio: 0.5 }]),
      pipelineOf(),
      pipelineOf(['snapkv', { budget: 60, window: 8 }], ['recalkv', { ratio: 0.5 }]),
      pipelineOf(['recalkv', { ratio: 0.3 }]),
    ];
    const variants = variantsOf(pipelines);
    expect(variants.map((variant) => variant.pipelines)).to.deep.equal([[0, 2], [1], [3]]);
    expect(variants.map(({ request }) => request?.params['ratio'])).to.deep.equal([0.5, undefined, 0.3]);
  });
});
