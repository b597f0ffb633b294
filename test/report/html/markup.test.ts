import { expect } from 'chai';
import fc from 'fast-check';
import { Html, jsonInScript, markup } from '../../../src/report/html/markup.js';

describe('report/html/markup', () => {
  it('escapes text and numbers, keeps markup, joins lists', () => {
    const inner = markup`<b>${'<&>'}</b>`;
    expect(markup`<p title="${`"'`}">${[inner, 3, undefined]}</p>`.text).to.equal(
      '<p title="&quot;&#39;"><b>&lt;&amp;&gt;</b>3</p>',
    );
    expect(markup`${new Html('<i>')}`.text).to.equal('<i>');
  });

  it('lets no text open or close anything', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(markup`${text}`.text).to.not.match(/[<>"']/);
        const json = jsonInScript({ text }).text;
        expect(json).to.not.contain('<');
        expect(JSON.parse(json)).to.deep.equal({ text });
      }),
    );
  });
});
