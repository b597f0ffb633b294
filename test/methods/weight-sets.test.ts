/** Which pipelines share weights. */
import { methods } from '../../src/methods/built-in.js';
import { expect } from 'chai';
import { weightSetsOf } from '../../src/methods/weight-sets.js';
import { pipelineOf } from '../support/pipelines.js';

describe('weightSetsOf', () => {
  it('has the model as it is for pipelines that ask for nothing else', () => {
    const pipelines = [pipelineOf(), pipelineOf(['snapkv', { budget: 60, window: 8 }])];
    expect(weightSetsOf(pipelines, methods)).to.deep.equal([{ request: undefined, pipelines: [0, 1] }]);
  });

  it('has one weightSet for each request, whatever stands beside it', () => {
    const pipelines = [
      pipelineOf(['recalkv', { ratio: 0.5 }]),
      pipelineOf(),
      pipelineOf(['snapkv', { budget: 60, window: 8 }], ['recalkv', { ratio: 0.5 }]),
      pipelineOf(['recalkv', { ratio: 0.3 }]),
    ];
    const weightSets = weightSetsOf(pipelines, methods);
    expect(weightSets.map((weightSet) => weightSet.pipelines)).to.deep.equal([[0, 2], [1], [3]]);
    expect(weightSets.map(({ request }) => request?.params['ratio'])).to.deep.equal([0.5, undefined, 0.3]);
  });
});
