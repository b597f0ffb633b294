import { expect } from 'chai';
import { UserError } from '../../../src/base/errors.js';
import type { ChatTemplate, ModelConfig, Tokenizer } from '../../../src/checkpoint/types.js';
import { buildSegments, cutMiddle, expectRoom, stopIdsOf } from '../../../src/runner/sample/prompt.js';
import { oneQuestion } from '../../../src/tasks/one-question.js';
import type { Sample } from '../../../src/tasks/types.js';

/** One id per character. */
const tokenizer: Tokenizer = {
  encode: (text, special = false) => Array.from(`${special ? '^' : ''}${text}`, (c) => c.codePointAt(0)!),
  decode: (ids) => String.fromCodePoint(...ids),
  digest: 'characters',
};
const chatTemplate: ChatTemplate = {
  source: 'test',
  render: (message) => `<user>${message}</user><assistant>`,
};
const sample = oneQuestion({
  context: 'haystack',
  question: '\nwhere?',
  answerPrefix: 'It is',
  answers: ['here'],
  maxNewTokens: 4,
});
const text = (ids: readonly number[]): string => tokenizer.decode(ids);
const files = (
  template: ChatTemplate | undefined,
  maxPositions = 1000,
): Parameters<typeof buildSegments>[0] => ({
  name: 'm',
  tokenizer,
  chatTemplate: template,
  config: { maxPositions } as ModelConfig,
});

describe('prompt segments', () => {
  it('splits the rendered chat behind the context; the answer prefix follows the assistant header', () => {
    const segments = buildSegments(files(chatTemplate), sample, 'compressed');
    expect(text(segments.contextIds)).to.equal('<user>haystack\nwhere?');
    expect(text(segments.suffixIds)).to.equal('</user><assistant>It is');
    expect(segments.truncated).to.equal(false);
  });

  it('keeps an appended question out of the compressed part', () => {
    const segments = buildSegments(files(chatTemplate), sample, 'appended');
    expect(text(segments.contextIds)).to.equal('<user>haystack');
    expect(text(segments.suffixIds)).to.equal('\nwhere?</user><assistant>It is');
  });

  it('without a template puts a newline between the context and the answer prefix', () => {
    const segments = buildSegments(files(undefined), sample, 'compressed');
    expect(text(segments.contextIds)).to.equal('haystack\nwhere?');
    expect(text(segments.suffixIds)).to.equal('\nIt is');
  });

  it('cuts only the context, in its middle', () => {
    const segments = buildSegments(files(undefined, 14 + 4 + 6), sample, 'compressed');
    expect(segments.truncated).to.equal(true);
    expect(text(segments.contextIds)).to.equal('haystac\nwhere?');
    expect(text(segments.suffixIds)).to.equal('\nIt is');
    expect(cutMiddle([1, 2, 3, 4, 5], 4)).to.deep.equal([1, 2, 4, 5]);
  });

  it('never cuts the head of the template or the question', () => {
    const long = { ...sample, context: 'hay'.repeat(50) };
    const kept = (max: number): string =>
      text(buildSegments(files(chatTemplate), long, 'compressed', max).contextIds);
    expect(kept(14)).to.equal('<user>h\nwhere?');
    for (const max of [13, 12, 2]) {
      for (const look of [buildSegments, expectRoom]) {
        expect(() => {
          look(files(chatTemplate), { ...long, place: 'a.jsonl:3' }, 'compressed', max);
        })
          .to.throw(UserError, `max_context of ${max} tokens would cut the question, which has 7`)
          .with.property('hint')
          .that.contains('14 tokens at least');
      }
    }
    expect(() => buildSegments(files(chatTemplate), long, 'appended', 10)).to.throw(
      UserError,
      'would cut the head of the chat template, which has 6',
    );
    // what fits is not looked at
    expectRoom(files(chatTemplate), sample, 'compressed', 22);
  });

  it('keeps the head of a template that changes the message', () => {
    const trims: ChatTemplate = {
      source: 'test',
      render: (message) => `<user>${message.trim()}</user><assistant>`,
    };
    const long = { ...sample, context: `\n ${'hay'.repeat(50)}` };
    expect(() => buildSegments(files(trims), long, 'appended', 10)).to.throw(UserError, 'which has 6');
    expect(text(buildSegments(files(trims), long, 'appended', 12).contextIds)).to.equal('<user>hayhay');
  });

  it('refuses no question that is long but stands in a prompt which is not cut', () => {
    // two bytes a character: only the tokens tell that it fits
    const short = { ...sample, context: 'é'.repeat(8) };
    expectRoom(files(chatTemplate), short, 'compressed', 21);
    expect(buildSegments(files(chatTemplate), short, 'compressed', 21).truncated).to.equal(false);
    const asked = { ...short, questions: [{ ...short.questions[0], question: 'é'.repeat(12) }] as const };
    expectRoom(files(chatTemplate), asked, 'compressed', 26);
    expect(() => {
      expectRoom(files(chatTemplate), asked, 'compressed', 23);
    }).to.throw(UserError, 'would cut the question, which has 12');
  });

  it('says when nothing of the context fits', () => {
    expect(() => buildSegments(files(undefined, 8), sample, 'compressed')).to.throw(UserError, /8 positions/);
  });

  it('says when the template swallows the message', () => {
    const mute: ChatTemplate = { source: 'test', render: () => 'nothing' };
    expect(() => buildSegments(files(mute), sample, 'compressed')).to.throw(UserError, /chat template/);
  });

  describe('of a prompt that is no chat', () => {
    const texts = (one: Sample, mode: 'compressed' | 'appended') => {
      const { contextIds, suffixIds } = buildSegments(files(chatTemplate), one, mode);
      return [text(contextIds), text(suffixIds)];
    };

    it('stand as they are, with the suffix between question and answer prefix', () => {
      const plain = { ...sample, plain: { specialTokens: false, suffix: '\n' } };
      expect(texts(plain, 'compressed')).to.deep.equal(['haystack\nwhere?', '\nIt is']);
      expect(texts(plain, 'appended')).to.deep.equal(['haystack', '\nwhere?\nIt is']);
    });

    it("begin with the tokenizer's special tokens where the sample says so", () => {
      const plain = { ...sample, plain: { specialTokens: true, suffix: '\n' } };
      expect(texts(plain, 'compressed')).to.deep.equal(['^haystack\nwhere?', '\nIt is']);
    });

    it('give their last token to the suffix where nothing else follows', () => {
      const plain = {
        ...sample,
        questions: [{ ...sample.questions[0], answerPrefix: '' }] as const,
        plain: { specialTokens: false, suffix: '' },
      };
      expect(texts(plain, 'compressed')).to.deep.equal(['haystack\nwhere', '?']);
      expect(texts(plain, 'appended')).to.deep.equal(['haystack', '\nwhere?']);
      const cut = buildSegments(files(undefined), plain, 'compressed', 14);
      expect([text(cut.contextIds), text(cut.suffixIds)]).to.deep.equal(['haystac\nwhere', '?']);
    });
  });

  describe('under a limit of the spec', () => {
    it('have a context of that length, whatever follows it', () => {
      const segments = buildSegments(files(undefined, 8), sample, 'compressed', 14);
      expect(segments.truncated).to.equal(true);
      expect(text(segments.contextIds)).to.equal('haystac\nwhere?');
      expect(text(segments.suffixIds)).to.equal('\nIt is');
    });

    it('are left alone where they are shorter', () => {
      const segments = buildSegments(files(undefined), sample, 'compressed', 500);
      expect(segments.truncated).to.equal(false);
      expect(text(segments.contextIds)).to.equal('haystack\nwhere?');
    });
  });

  describe('end', () => {
    const config = { eosIds: [1, 2] } as unknown as ModelConfig;
    const newline = '\n'.codePointAt(0)!;

    it("at the model's end tokens", () => {
      expect(stopIdsOf({ tokenizer: { ...tokenizer, eosId: 2 }, config }, {})).to.deep.equal([1, 2]);
    });

    it("at a line break and the tokenizer's own end token where the sample says so", () => {
      const stop = (own: Tokenizer) => stopIdsOf({ tokenizer: own, config }, { stop: 'newline' });
      expect(stop({ ...tokenizer, eosId: 2 })).to.deep.equal([2, newline]);
      expect(stop(tokenizer)).to.deep.equal([1, 2, newline]);
    });
  });
});
