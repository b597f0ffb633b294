// A task of one's own: numbers with names; one of them is asked for.
import { anyFound, cleanPrediction, randomFor, type Task, z } from 'spark-eval';

const NAMES = ['amber', 'birch', 'coral', 'delta', 'ember', 'flint', 'grove', 'heron', 'ivory', 'jade'];

const params = z.strictObject({
  numbers: z.int().min(1).max(NAMES.length).default(5).describe('numbers in the text; 1 to 10'),
});

const task: Task<z.infer<typeof params>> = {
  name: 'magic/number',
  family: 'magic',
  summary: 'one of several numbers with names',
  source: 'an example',
  params,
  open: ({ numbers }, { seed }) => ({
    digest: 'magic 1', // changes whenever the samples would
    sample(index) {
      const random = randomFor('magic', seed, index);
      const pairs = NAMES.slice(0, numbers).map(
        (name) => [name, 1_000_000 + random.below(9_000_000)] as const,
      );
      const lines = pairs.map(
        ([name, number]) => `One of the special magic numbers for ${name} is: ${number}.`,
      );
      const [name, number] = pairs[random.below(pairs.length)]!;
      return {
        context: `Some special magic numbers are hidden within the following text.\n${lines.join('\n')}\n`,
        questions: [
          {
            question: `What is the special magic number for ${name} mentioned in the provided text?`,
            answerPrefix: ` The special magic number for ${name} mentioned in the provided text is`,
            answers: [String(number)],
            maxNewTokens: 16,
          },
        ],
      };
    },
    score: (answer, { answers }) => anyFound(cleanPrediction(answer), answers),
  }),
};
export default task;
