import { expect } from 'chai';
import { createChatTemplate, templateSource } from '../../src/checkpoint/chat-template.js';
import { userError } from '../model/support.js';

const render = (source: string, message = 'hi'): string =>
  createChatTemplate(source, { bos: '<s>', eos: '</s>' }, 'chat_template.jinja').render(message);

describe('chat template', () => {
  it('is given one user message, the generation prompt and the special tokens', () => {
    const source =
      "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]{{ m.content }}{{ eos_token }}{% endfor %}" +
      '{% if add_generation_prompt %}[assistant]{% endif %}';
    expect(render(source, 'a {{ b }}\n')).to.equal('<s>[user]a {{ b }}\n</s>[assistant]');
  });

  it('has thinking disabled', () => {
    expect(render('{% if enable_thinking is defined and enable_thinking is false %}no{% endif %}')).to.equal(
      'no',
    );
  });

  it('knows one date only', () => {
    const llama3 =
      '{%- if not date_string is defined %}{%- set date_string = strftime_now("%d %b %Y") %}{%- endif %}{{ date_string }}';
    expect(render(llama3)).to.equal('26 Jul 2024');
    expect(render('{{ strftime_now("%Y-%m-%d") }}')).to.equal('2024-07-26');
    expect(render('{{ strftime_now("%A, %-d %B %y, %H:%M %p") }}')).to.equal('Friday, 26 July 24, 00:00 AM');
    expect(() => render('{{ strftime_now("%Q") }}')).to.throw(/"%Q" is not known/);
  });

  it('strips what Python strips', () => {
    const text = '\uFEFF x \u0085\u001C';
    for (const way of ['messages[0].content | trim', 'messages[0].content.strip()']) {
      expect(render(`[{{ ${way} }}]`, text), way).to.equal('[\uFEFF x]');
    }
    const lines =
      '{% for m in messages %}{{ m["content"].rstrip() }}|{{ m["content"].lstrip("ab") }}{% endfor %}';
    expect(render(lines, 'abc \u2003')).to.equal('abc|c \u2003');
    expect(render('{{ messages[0].content.split() | length }}', ' a\u0085b  c ')).to.equal('3');
    expect(render('{{ "a.b.c".split(".") | length }}')).to.equal('3');
  });

  it('keeps what the template begins with', () => {
    expect(render('\n  x')).to.equal('\n  x');
  });

  it('turns every failure into a UserError', () => {
    for (const source of ['{% if %}', '{{ raise_exception("no system") }}', '{% for m in 3 %}{% endfor %}']) {
      const error = userError(() => render(source));
      expect(error.message).to.match(/^the chat template fails: /);
      expect(error.place).to.equal('chat_template.jinja');
    }
  });

  it('is stopped where it would take for ever, or all memory', () => {
    expect(
      render('{{ range(3)[2] }}{{ range(2, 8, 3)[1] }}{{ range(5, 3, -1)[1] }}{{ range(3, 1) | length }}'),
    ).to.equal('2540');
    expect(userError(() => render('{% for i in range(1000000000) %}x{% endfor %}')).message).to.match(
      /range\(\) of/,
    );
    const loop = '{% for i in range(99999) %}';
    const endless = `${loop}${loop}{% if i == -1 %}x{% endif %}${'{% endfor %}'.repeat(2)}`;
    expect(userError(() => render(endless)).message).to.equal(
      'the chat template fails: it does not end in 1 s of processor time',
    );
  });

  it('is found in tokenizer_config.json, alone or among named ones', () => {
    expect(templateSource({ chat_template: 'x' }, 't')).to.equal('x');
    const named = ['tool_use', 'default'].map((name) => ({ name, template: `of ${name}` }));
    expect(templateSource({ chat_template: named }, 't')).to.equal('of default');
    expect(userError(() => templateSource({ chat_template: named.slice(0, 1) }, 't')).message).to.equal(
      'chat_template: expected one named "default", found tool_use',
    );
    expect(templateSource({}, 't')).to.equal(undefined);
    expect(userError(() => templateSource({ chat_template: 3 }, 't')).place).to.equal('t');
  });
});
