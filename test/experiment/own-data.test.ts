import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as z from 'zod';
import { UserError } from '../../src/base/errors.js';
import { SpecDocument } from '../../src/experiment/document.js';
import { specJsonSchema } from '../../src/experiment/json-schema.js';
import { resolveSpec } from '../../src/experiment/load.js';
import { OWN_FAMILY } from '../../src/experiment/tasks.js';
import type { SpecCatalogue } from '../../src/experiment/types.js';
import { OWN_FAMILY as tasksFamily } from '../../src/tasks/own/list.js';
import { catalogue, specText } from './support.js';

const params = z.strictObject({ file: z.string().min(1), max_new_tokens: z.int().min(1).default(64) });
const withOwn: SpecCatalogue = {
  ...catalogue,
  tasks: new Map([
    ...catalogue.tasks,
    ['own/f1', { params, family: 'own' }],
    ['own/exact', { params, family: 'own' }],
  ]),
};

const groups = (tasks: string) =>
  resolveSpec(SpecDocument.parse(specText({ tasks }), 'my.yaml'), { catalogue: withOwn }).groups.map(
    ({ task, taskParams, samples }) => ({ task, taskParams, samples }),
  );
const fault = (tasks: string): string => {
  try {
    groups(tasks);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error('expected a UserError');
};

describe('spec/data of the user', () => {
  it('is the family that the tasks have', () => {
    expect(OWN_FAMILY).to.equal(tasksFamily);
  });

  it('is a file and a scorer', () => {
    expect(groups('[{ file: my.jsonl, scorer: f1, samples: 3 }]')).to.deep.equal([
      { task: 'own/f1', taskParams: { file: 'my.jsonl', max_new_tokens: 64 }, samples: 3 },
    ]);
  });

  it('may sweep both, and be written as a task', () => {
    const cells = groups('[{ file: [a.jsonl, b.jsonl], scorer: [f1, exact] }]');
    expect(cells.map(({ task, taskParams }) => [task, taskParams['file']])).to.deep.equal([
      ['own/f1', 'a.jsonl'],
      ['own/f1', 'b.jsonl'],
      ['own/exact', 'a.jsonl'],
      ['own/exact', 'b.jsonl'],
    ]);
    expect(groups('[{ task: own/f1, file: a.jsonl }]')).to.deep.equal([
      { task: 'own/f1', taskParams: { file: 'a.jsonl', max_new_tokens: 64 }, samples: 20 },
    ]);
  });

  it('is one file, however its path is spelled', () => {
    const named = groups(
      '[{ file: a.jsonl, scorer: f1, samples: 2 }, { file: ./x/../a.jsonl, scorer: f1, samples: 5 }, { file: b.jsonl, scorer: f1 }]',
    );
    expect(named.map(({ taskParams, samples }) => [taskParams['file'], samples])).to.deep.equal([
      ['a.jsonl', 5],
      ['b.jsonl', 20],
    ]);
    const link = join(mkdtempSync(join(tmpdir(), 'own-')), 'link.jsonl');
    writeFileSync(`${link}.real`, '');
    symlinkSync(`${link}.real`, link);
    expect(groups(`[{ file: ${link}, scorer: f1 }, { file: ${link}.real, scorer: f1 }]`)).to.have.length(1);
  });

  it('says what is wrong, and where', () => {
    expect(fault('[{ file: my.jsonl }]')).to.match(
      /my\.yaml:3:9 {2}tasks\[0\]\.scorer: expected a scorer, got nothing/,
    );
    expect(fault('[{ file: my.jsonl, scorer: f2 }]')).to.match(
      /unknown scorer "f2"\. Did you mean "f1"\? {2}\(one of f1, exact\)/,
    );
    expect(fault('[{ file: my.jsonl, scorer: 3 }]')).to.match(/tasks\[0\]\.scorer: expected a scorer, got 3/);
    expect(fault('[{ file: 5, scorer: f1 }]')).to.match(/tasks\[0\]\.file: expected a string, got 5/);
    expect(fault('[{ file: my.jsonl, scorer: f1, sample: 3 }]')).to.match(
      /unknown key "sample"\. Did you mean "samples"/,
    );
    expect(fault('[{ task: own/f1, file: my.jsonl, scorer: f1 }]')).to.match(/unknown key "scorer"/);
    expect(fault('[5]')).to.match(/expected a task, NAME: \{fields\}, or \{file: …, scorer: …\}, got 5/);
  });

  it('has a form of its own for editors', () => {
    const schema = JSON.parse(JSON.stringify(specJsonSchema(withOwn))) as {
      $defs: { task: { anyOf: { required?: string[]; properties?: Record<string, unknown> }[] } };
    };
    const form = schema.$defs.task.anyOf.at(-1)!;
    expect(form.required).to.deep.equal(['file', 'scorer']);
    expect(form.properties!['scorer']).to.deep.equal({
      anyOf: [{ enum: ['f1', 'exact'] }, { type: 'array', items: { enum: ['f1', 'exact'] }, minItems: 1 }],
    });
    expect(Object.keys(specJsonSchema(catalogue))).to.include('$defs');
  });
});

describe('spec/max_context', () => {
  const resolve = (fields: Record<string, string>) =>
    resolveSpec(SpecDocument.parse(specText(fields), 'my.yaml'), { catalogue });

  it('goes to every cell, and to none where it is not written', () => {
    expect(resolve({ max_context: '7950' }).groups.map(({ maxContext }) => maxContext)).to.deep.equal([7950]);
    expect(resolve({}).groups[0]).to.not.have.property('maxContext');
  });

  it('is a number of tokens', () => {
    expect(() => resolve({ max_context: '1' })).to.throw(
      UserError,
      /max_context: expected an integer in \[2, /,
    );
  });
});
