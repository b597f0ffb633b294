import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { UserError } from '../../../src/base/errors.js';
import { segmentChinese } from '../../../src/tasks/scorers/jieba.js';
import { qaF1Zh } from '../../../src/tasks/scorers/qa-f1.js';
import { rougeLZh } from '../../../src/tasks/scorers/rouge-l.js';
import { jiebaPresent, skipWithoutJieba } from '../../support/jieba.js';

describe('Chinese segmentation', () => {
  it('says how to install what is missing', function () {
    if (jiebaPresent()) this.skip();
    for (const use of [
      () => segmentChinese('灯塔'),
      () => qaF1Zh('灯塔', '灯塔'),
      () => rougeLZh('a', 'b'),
    ]) {
      expect(use).to.throw(UserError, '@node-rs/jieba').with.property('hint', 'npm install @node-rs/jieba');
    }
  });

  it("cuts the example of jieba's documentation, and loses no character", function () {
    skipWithoutJieba(this);
    expect(segmentChinese('他来到了网易杭研大厦')).to.deep.equal([
      '他',
      '来到',
      '了',
      '网易',
      '杭研',
      '大厦',
    ]);
    const text = '灯塔 keeper，3.5%！\n\u3000看守人。';
    expect(segmentChinese(text).join('')).to.equal(text);
    expect(qaF1Zh('灯塔看守人。', '灯塔看守人')).to.equal(1);
    expect(qaF1Zh('。', '。')).to.equal(0);
    expect(rougeLZh('灯塔看守人', '灯塔看守人')).to.equal(2 / (2 + 1e-8));
  });

  it('cuts as jieba 0.42.1 does: letters and digits, late ideographs, marks, line ends', function () {
    skipWithoutJieba(this);
    const path = new URL('../../fixtures/jieba/cuts.json', import.meta.url);
    const cuts = JSON.parse(readFileSync(path, 'utf8')) as [string, string[]][];
    expect(cuts.length).to.be.above(200);
    for (const [text, words] of cuts) expect(segmentChinese(text), text).to.deep.equal(words);
  });

  it('loses no character of any text', function () {
    skipWithoutJieba(this);
    const characters = fc.constantFrom(...Array.from('灯塔鿖𠀀B超aC+#-.%_ \r\n１8😀'), '\ud800');
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        expect(segmentChinese(text).join('')).to.equal(text);
      }),
    );
  });
});
