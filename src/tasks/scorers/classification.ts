/**
 * Classification: `classification_score` of LongBench (arXiv 2308.14508, metrics.py), for trec and lsht.
 *
 * Class names that a prediction holds (as substrings, case counts) share the point.
 * As released, names that are part of the right one are removed from the list while it is walked, so that the name
 * after a removed one is not looked at: with A, AB, ABC all found, the right answer ABC scores 1/2.
 */
import { UserError } from '../../base/errors.js';
import type { ScoreContext } from './types.js';

/** In [0, 1]: 1 / (class names left), 0 where the right one is not among them. Throws UserError without class names. */
export function classification(prediction: string, answer: string, { classes }: ScoreContext): number {
  if (classes === undefined) {
    throw new UserError('expected the class names of the data set with each sample, found none', {
      hint: 'A classification is scored against all class names: the field all_classes of LongBench.',
    });
  }
  const found = classes.filter((name) => prediction.includes(name));
  for (let i = 0; i < found.length; i++) {
    const name = found[i]!;
    if (name !== answer && answer.includes(name)) found.splice(found.indexOf(name), 1);
  }
  return found.includes(answer) ? 1 / found.length : 0;
}
