/**
 * A sample of a task, as a run has it.
 *
 * Decides that tokens are counted by the tokenizer of the model that the sample is for.
 */
import type { ModelFiles } from '../checkpoint/types.js';
import type { Sample, SampleRequest, Task } from '../tasks/types.js';

/**
 * @param request what the task is asked for, `index` from 0; the task is prepared
 * @throws UserError where the task cannot give such a sample
 */
export function makeSample(
  task: Pick<Task, 'sample'>,
  request: Omit<SampleRequest<unknown>, 'countTokens'>,
  { tokenizer }: Pick<ModelFiles, 'tokenizer'>,
): Sample {
  return task.sample({ ...request, countTokens: (text) => tokenizer.encode(text).length });
}
