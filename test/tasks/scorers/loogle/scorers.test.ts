import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../../../src/base/errors.js';
import { bleu } from '../../../../src/tasks/scorers/loogle/bleu.js';
import { exactGaps, gapRate, partialGaps } from '../../../../src/tasks/scorers/loogle/cloze.js';
import { parseDictionary } from '../../../../src/tasks/scorers/loogle/dictionary.js';
import { rougeRecall } from '../../../../src/tasks/scorers/loogle/rouge-recall.js';

const ANSWER = "{'<mask-0>': 'Pip', '<mask-1>': 'Tallow Point'}";

describe('LooGLE dictionaries', () => {
  const entries = (text: string) => {
    const dictionary = parseDictionary(text);
    return dictionary === undefined ? undefined : Object.fromEntries(dictionary);
  };

  it('are literals with string keys and scalar values', () => {
    expect(entries(` {'a': "it's", "b": 3, 'c': -1.5e2, 'd': None, 'e': True,} \n`)).to.deep.equal({
      a: "it's",
      b: 3,
      c: -150,
      d: null,
      e: true,
    });
    expect(entries('{}')).to.deep.equal({});
    expect(entries(String.raw`{'a': 'it\'s \x41\u4e2d\n\q'}`)).to.deep.equal({ a: "it's A中\n\\q" });
    expect(entries("{'a': 'x', 'a': 'y'}")).to.deep.equal({ a: 'y' });
  });

  it('are not read into anything else, and nothing is evaluated', () => {
    for (const text of [
      '',
      'Pip',
      "['Pip']",
      "{'a'}",
      "{'a': }",
      "{'a': 'b'",
      "{'a': 'b'}}",
      "{'a': 'b'} x",
      "{'a' 'b'}",
      "{'a': 'b' 'c': 'd'}",
      '{,}',
      "{1: 'a'}",
      "{'a': ['b']}",
      "{'a': {'b': 'c'}}",
      "{'a': process.exit()}",
      "{'a': 'b\n'}",
      "{'a': __import__('os')}",
      '}{',
    ]) {
      expect(parseDictionary(text), text).to.equal(undefined);
    }
  });

  it('of JSON strings come back as they were', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string({ unit: 'binary' })), (dictionary) => {
        expect([...parseDictionary(JSON.stringify(dictionary))!]).to.deep.equal(Object.entries(dictionary));
      }),
    );
  });
});

describe('LooGLE gaps', () => {
  it('are right exactly, or with a word in common', () => {
    const prediction = "{'<mask-0>': 'Pip', '<mask-1>': 'the Point'}";
    expect(exactGaps(prediction, ANSWER)).to.deep.equal({ right: 1, asked: 2 });
    expect(partialGaps(prediction, ANSWER)).to.deep.equal({ right: 2, asked: 2 });
  });

  it('all count where the prediction is no dictionary', () => {
    expect(exactGaps('Pip', ANSWER)).to.deep.equal({ right: 0, asked: 2 });
  });

  it('that hold no text are wrong by themselves', () => {
    const prediction = "{'<mask-0>': 3, '<mask-1>': 'Tallow Point'}";
    expect(exactGaps(prediction, ANSWER)).to.deep.equal({ right: 1, asked: 2 });
    expect(partialGaps(prediction, ANSWER)).to.deep.equal({ right: 1, asked: 2 });
  });

  it('add up over samples', () => {
    const samples = [
      { right: 1, asked: 1 },
      { right: 0, asked: 2 },
    ];
    expect(gapRate(samples)).to.equal(0.3333);
  });

  it('need an answer that is a dictionary', () => {
    expect(() => exactGaps('{}', 'Pip')).to.throw(UserError, 'found Pip');
    expect(() => partialGaps('{}', '{}')).to.throw(UserError, '<mask-0>');
  });
});

describe('LooGLE texts', () => {
  it('BLEU clips repeated words and punishes short predictions', () => {
    expect(bleu('the the the the', 'the cat is here', 1)).to.equal(0.25);
    expect(bleu('the cat', 'the cat is here', 1)).to.be.closeTo(Math.exp(-1), 1e-12);
    expect(bleu('a b c d x', 'a b c d e', 4)).to.equal(0.5);
    expect(bleu('a b c', 'a b c', 4)).to.equal(0);
  });

  it('ROUGE recall counts each n-gram once, across full stops', () => {
    expect(rougeRecall('a b', 'a a. b', 1)).to.equal(1);
    expect(rougeRecall('a b', 'a a. b', 2)).to.equal(0.5);
    expect(rougeRecall('', 'a', 1)).to.equal(0);
    expect(rougeRecall('a', '', 1)).to.equal(0);
  });
});
