import { expect } from 'chai';
import { UserError } from '../../src/errors.js';
import type { ChatTemplate, ModelConfig, Tokenizer } from '../../src/model/types.js';
import { buildSegments, cutMiddle } from '../../src/runner/prompt.js';
import type { Sample } from '../../src/tasks/types.js';

/** One id per character. */
const tokenizer: Tokenizer = {
  encode: (text) => Array.from(text, (c) => c.codePointAt(0)!),
  decode: (ids) => String.fromCodePoint(...ids),
  digest: 'characters',
};
const chatTemplate: ChatTemplate = {
  source: 'test',
  render: (message) => `<user>${message}</user><assistant>`,
};
const sample: Sample = {
  context: 'haystack',
  question: '\nwhere?',
  answerPrefix: 'It is',
  answers: ['here'],
  maxNewTokens: 4,
};
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
    const segments = buildSegments(files(undefined, 6 + 4 + 7), sample, 'compressed');
    expect(segments.truncated).to.equal(true);
    expect(text(segments.contextIds)).to.equal('hayre?');
    expect(text(segments.suffixIds)).to.equal('\nIt is');
    expect(cutMiddle([1, 2, 3, 4, 5], 4)).to.deep.equal([1, 2, 4, 5]);
  });

  it('says when nothing of the context fits', () => {
    expect(() => buildSegments(files(undefined, 8), sample, 'compressed')).to.throw(UserError, /8 positions/);
  });

  it('says when the template swallows the message', () => {
    const mute: ChatTemplate = { source: 'test', render: () => 'nothing' };
    expect(() => buildSegments(files(mute), sample, 'compressed')).to.throw(UserError, /chat template/);
  });
});
