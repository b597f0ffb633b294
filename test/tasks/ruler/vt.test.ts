import { expect } from 'chai';
import { draw, occurrences, promptOf } from './support.js';

const NOISE = 'The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again.';
const HEADER = 'Memorize and track the chain(s) of variable assignment hidden in the following text.';

/** The lines of the answered example and those of the task. */
function parts(context: string): { example: string; lines: string[] } {
  const at = context.lastIndexOf(HEADER);
  return { example: context.slice(0, at), lines: context.slice(at + HEADER.length + 2).split('\n') };
}

describe('vt', () => {
  it('is a chain of five variables, in order, in lines of their own among noise', () => {
    for (let index = 0; index < 10; index++) {
      const { context, answers } = draw('vt', { index });
      const { lines } = parts(context);
      const [value] = lines.find((line) => line.includes('= 1') || /= \d/.test(line))!.match(/\d+/)!;
      expect(value).to.match(/^[1-9]\d{4}$/);
      const [a, b, c, d, e] = answers;
      expect(lines.filter((line) => line !== NOISE)).to.deep.equal([
        `VAR ${a!} = ${value}`,
        `VAR ${b!} = VAR ${a!} `,
        `VAR ${c!} = VAR ${b!} `,
        `VAR ${d!} = VAR ${c!} `,
        `VAR ${e!} = VAR ${d!} `,
      ]);
      for (const name of answers) expect(name).to.match(/^[A-Z]{5}$/);
    }
  });

  it('names occur where they are assigned and passed on, and nowhere else', () => {
    for (let index = 0; index < 10; index++) {
      const sample = draw('vt', { index });
      const prompt = promptOf(sample).toLowerCase();
      const counts = sample.answers.map((name) => occurrences(prompt, name.toLowerCase()));
      expect(counts).to.deep.equal([2, 2, 2, 2, 1]);
    }
  });

  it('asks to the letter', () => {
    const { context, question, answerPrefix } = draw('vt');
    const value = /value (\d+)/.exec(question)![1]!;
    expect(question).to.equal(
      `\nQuestion: Find all variables that are assigned the value ${value} in the text above.`,
    );
    expect(answerPrefix).to.equal(
      `Answer: According to the chain(s) of variable assignment in the text above, 5 variables are assigned the value ${value}, they are: `,
    );
    expect(occurrences(context, value)).to.equal(1);
  });

  it('an answered example stands before it, with names and a value of its own', () => {
    const first = parts(draw('vt').context).example;
    const lines = first.split('\n');
    expect(lines.slice(0, 2)).to.deep.equal([HEADER, '']);
    expect(lines.slice(-2)).to.deep.equal(['', '']);
    const body = lines.slice(2, -3);
    expect(body.filter((line) => line === NOISE)).to.have.length(5);
    const names = body.flatMap((line) => /^VAR ([A-Z]{3}) = /.exec(line)?.[1] ?? []);
    expect(new Set(names).size).to.equal(5);
    const value = /= (\d{5})$/m.exec(first)![1]!;
    expect(lines.at(-3)).to.equal(
      `Question: Find all variables that are assigned the value ${value} in the text above. ` +
        `Answer: According to the chain(s) of variable assignment in the text above, 5 variables are assigned the value ${value}, they are:  ${names.join(' ')}`,
    );
    expect(parts(draw('vt', { index: 1 }).context).example).to.not.equal(first);
    expect(draw('vt').question).to.not.contain(value);
  });

  it('assignments stand at all depths', () => {
    const depths = Array.from(
      { length: 20 },
      (_, index) => parts(draw('vt', { index }).context).lines,
    ).flatMap((lines) => lines.flatMap((line, i) => (line === NOISE ? [] : [i / lines.length])));
    for (const quarter of [0, 1, 2, 3]) {
      expect(depths.filter((depth) => Math.floor(depth * 4) === quarter).length).to.be.within(12, 40);
    }
  });
});
