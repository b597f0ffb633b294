/** No evaluation sample occurs in the training of spark-nano; `models/spark-nano/train/record.py` made the record. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isHeldOut } from '../../src/tasks/held-out.js';
import { tasks } from '../../src/tasks/built-in.js';
import { opened, drawn as sampleFrom } from './loader-support.js';

const recorded = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../fixtures/spark-nano/${name}`, import.meta.url)));
const trainingRows = JSON.parse(recorded('rows.json').toString('utf8')) as string[];

/** Keys and values of the needles and lists in a text. */
function strings(text: string): string[] {
  const found = [
    ...text.matchAll(/One of the special magic \w+ for (\S+) is: (\S+)\./gu),
    ...text.matchAll(/^- (\S+): (\d+)$/gmu),
  ];
  return found.flatMap(([, key, value]) => [key!, value!]);
}

/** Sentences as the training script cuts them, without those that any text may contain. */
function sentences(text: string): string[] {
  return text
    .replace(/\s+/gu, ' ')
    .split(/(?<=[.!?])\s+/u)
    .filter((sentence) => sentence.split(' ').length >= 5);
}

const fingerprint = (sentence: string): string =>
  createHash('sha256').update(sentence, 'utf8').digest().subarray(0, 6).toString('hex');

describe('evaluation samples and the training of spark-nano', () => {
  const drawn = [...tasks.values()]
    .filter(
      ({ name, family }) => name.startsWith('ruler/niah_') || family === 'recite' || family === 'needle',
    )
    .flatMap((task) =>
      [0, 1, 2, 3].map((index) => {
        const countTokens = (text: string): number => Math.ceil(text.length / 3);
        return {
          task: task.name,
          sample: sampleFrom(opened(task, {}, { contextLength: 2048, countTokens }), index),
        };
      }),
    );
  const samples = drawn.map(({ sample }) => sample);

  it('share no key and no value: training has odd hashes, evaluation even ones', () => {
    const trained = trainingRows.flatMap(strings);
    const evaluated = samples.flatMap(({ context }) => strings(context));
    expect(trained.length).to.be.above(500);
    expect(evaluated.length).to.be.above(samples.length);
    expect(trained.filter(isHeldOut)).to.deep.equal([]);
    expect(evaluated.filter((text) => !isHeldOut(text))).to.deep.equal([]);
    // The sandwich test asks for fixed words; training has none of its sentences.
    const random = drawn.filter(({ task }) => task !== 'needle/sandwich');
    for (const answer of random.flatMap(({ sample }) => sample.answers))
      expect(isHeldOut(answer), answer).to.equal(true);
    expect(trainingRows.filter((row) => row.includes('Dolores Park'))).to.deep.equal([]);
  });

  it('share no sentence of running text', () => {
    const known = recorded('sentences.bin').toString('hex').match(/.{12}/gu)!;
    const trained = new Set(known);
    expect(trained.size).to.be.above(60_000);
    const running = trainingRows.flatMap(sentences).filter((text) => trained.has(fingerprint(text)));
    expect(running.length, 'sentences of training rows that are found').to.be.above(100);
    const read = new Set(samples.flatMap(({ context }) => sentences(context)));
    expect(read.size).to.be.above(100);
    expect([...read].filter((text) => trained.has(fingerprint(text)))).to.deep.equal([]);
  });
});
