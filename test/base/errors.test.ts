import { expect } from 'chai';
import { UserError } from '../../src/base/errors.js';

describe('UserError', () => {
  it('reads as place, message and hint', () => {
    expect(new UserError('is missing', { place: 'a.json', hint: 'Put it there.' }).format()).to.equal(
      'a.json  is missing\n  Put it there.',
    );
  });

  it('says of a wider place all that it said', () => {
    const inner = new UserError('prunes none', { place: 'think', hint: 'More.', exitCode: 2 });
    const outer = inner.at('sample 3');
    expect(outer.format()).to.equal('sample 3, think  prunes none\n  More.');
    expect(outer).to.include({ exitCode: 2, cause: inner });
    expect(new UserError('x').at('here').format()).to.equal('here  x');
  });

  it('shows control characters in place of obeying them', () => {
    expect(new UserError('got "\x1b[2J\0\x9b\u202e\r"\n\tnext').format()).to.equal(
      String.raw`got "\u001b[2J\u0000\u009b\u202e\u000d"` + '\n\tnext',
    );
  });

  it('shortens long lines in their middle', () => {
    const text = new UserError(`unknown "${'x'.repeat(100_000)}". Did you mean "y"?\nnext`).format();
    expect(text).to.match(/^unknown "x+ … x+"\. Did you mean "y"\?\nnext$/);
    expect(text.length).to.equal(1005);
  });
});
