/**
 * Where every task's prompt is cut: what is compressed and what follows, for each chat template and way to ask.
 *
 * `UPDATE_GOLDEN=1` writes test/fixtures/prompts/split.jsonl anew. Texts of whole prompts are the business of test/tasks.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'chai';
import { createChatTemplate } from '../../../src/checkpoint/chat-template.js';
import { openModelFiles } from '../../../src/checkpoint/load.js';
import type { ModelFiles } from '../../../src/checkpoint/types.js';
import { countsOf, TaskOpener } from '../../../src/experiment/task-opener.js';
import { buildSegments, stopIdsOf } from '../../../src/runner/sample/prompt.js';
import { tasks } from '../../../src/tasks/built-in.js';
import { LONGBENCH_NAMES } from '../../../src/tasks/longbench/facts.js';
import { row } from '../../tasks/longbench/rows.js';
import { folderOf, jsonLines, removeFolders } from '../../tasks/loader-support.js';
import { HOTPOT, SQUAD } from '../../tasks/ruler/support.js';

const FIXTURE = new URL('../../fixtures/prompts/split.jsonl', import.meta.url);
const CONTEXT = 1536;
/** Ids of the compressed part that are shown, as text. */
const TAIL = 12;

/** As published, for one user message: SmolLM2 and Qwen2, and Llama 3. */
const TEMPLATES: Readonly<Record<string, string | undefined>> = {
  none: undefined,
  chatml: `{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`,
  llama3: `{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`,
};

describe('prompts of every task', () => {
  let files: ModelFiles;
  let lines: string[];
  before(async () => {
    files = await openModelFiles('spark-nano');
    lines = [];
    for (const [name, params] of choices()) lines.push(...(await splits(name, params)));
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(FIXTURE, `${lines.join('\n')}\n`);
  });
  after(() => {
    files.weights.close();
    removeFolders();
  });

  function choices(): [string, object][] {
    const folder = folderOf(
      Object.fromEntries(LONGBENCH_NAMES.map((name) => [`${name}.jsonl`, [row(name)]])),
    );
    const own = `${folderOf({ 'my.jsonl': jsonLines([{ context: 'A bell rings.', question: 'What?', answers: ['x'] }]) })}/my.jsonl`;
    const generated = [...tasks.values()].filter(({ family }) =>
      ['ruler', 'recite', 'needle'].includes(family),
    );
    const sets: Readonly<Record<string, object>> = {
      'ruler/qa_1': { file: SQUAD },
      'ruler/qa_2': { file: HOTPOT },
    };
    return [
      ...generated.map(({ name }): [string, object] => [name, sets[name] ?? {}]),
      ...LONGBENCH_NAMES.flatMap((name) =>
        ['spark', 'longbench'].map((protocol): [string, object] => [
          `longbench/${name}`,
          { folder, protocol },
        ]),
      ),
      ['own/f1', { file: own }],
    ];
  }

  async function splits(name: string, given: object): Promise<string[]> {
    const task = tasks.get(name)!;
    const taskParams = task.params.parse(given);
    const opened = await new TaskOpener(tasks, '/').open(
      { task: name, taskParams, context: CONTEXT, seed: 42 },
      countsOf(files.tokenizer),
    );
    const sample = await opened.sample(0);
    const [question] = sample.questions;
    const shown = 'protocol' in given ? `${name} ${String(given.protocol)}` : name;
    return Object.entries(TEMPLATES).flatMap(([template, source]) => {
      const chatTemplate =
        source === undefined ? undefined : createChatTemplate(source, { bos: '', eos: '' }, template);
      const model = { ...files, chatTemplate };
      return (['compressed', 'appended'] as const).map((mode) => {
        const { contextIds, suffixIds, truncated } = buildSegments(model, sample, mode);
        expect(truncated, name).to.equal(false);
        return JSON.stringify({
          task: shown,
          template,
          question: mode,
          compressed: contextIds.length,
          ends: files.tokenizer.decode(contextIds.slice(-TAIL)),
          appended: suffixIds.length,
          text: files.tokenizer.decode(suffixIds),
          new: question.maxNewTokens,
          stops: stopIdsOf(model, question).length,
        });
      });
    });
  }

  it('are cut where they were', () => {
    const expected = readFileSync(FIXTURE, 'utf8').trimEnd().split('\n');
    expect(lines).to.have.length(expected.length);
    lines.forEach((line, i) => {
      expect(JSON.parse(line)).to.deep.equal(JSON.parse(expected[i]!));
    });
  });

  it('are all of the generators and of LongBench', () => {
    const names = new Set(lines.map((line) => (JSON.parse(line) as { task: string }).task));
    expect(names.size).to.equal(13 + 1 + 2 + 2 * 21 + 1);
  });
});
