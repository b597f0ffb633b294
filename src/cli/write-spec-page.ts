/**
 * Writes docs/spec.md, with `npm run schema`: every field of a spec file, from the schemas that validate it.
 *
 * A page written by hand would tell other ranges and defaults than the program checks.
 */
import { writeFileSync } from 'node:fs';
import { describeSchema, inputSchema, type JsonSchema } from '../base/describe.js';
import { packageFile } from '../base/package.js';
import { AXES, specSchema } from '../experiment/schema.js';
import { groupBy } from '../report/group-by.js';
import { builtIn } from '../registry/registry.js';
import { AXIS_ORDER } from './method-facts.js';

const HEAD = `# The spec file

One YAML file names models, tasks and pipelines. Any scalar of a step or a task may be a list: it is then a sweep axis, and the cells are the
product. Unknown fields are errors. This page is generated from the schemas that the program checks a spec with (\`npm run schema\`); editors read
the same from \`schema/spec.schema.json\`. \`spark-eval init\` writes a spec to begin with, and \`spark-eval show NAME\` prints one method or task.

\`\`\`yaml spec
# example.yaml
name: example
model: spark-nano
tasks:
  - ruler/niah_single_1
  - ruler/niah_single_2: { samples: 4 }
context: [512, 1024]
samples: 2
cache:
  - full
  - snapkv: { ratio: 0.5 }
  - [{ snapkv: { ratio: 0.5 } }, { spark: { ratio: [0.5, 0.8] } }]
output: results/example
\`\`\`
`;

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function rows(schema: JsonSchema, describe: (name: string, field: JsonSchema) => string): string[] {
  return Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const preset = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``;
    const must = schema.required?.includes(name) === true ? 'required' : preset;
    return `| \`${name}\` | ${cell(describe(name, field))} | ${cell(must)} | ${cell(field.description ?? '')} |`;
  });
}

function table(
  schema: JsonSchema,
  describe = (_: string, field: JsonSchema) => describeSchema(field),
): string {
  const lines = rows(schema, describe);
  if (lines.length === 0) return 'No fields.\n';
  return ['| field | takes | default | |', '| --- | --- | --- | --- |', ...lines].join('\n') + '\n';
}

const { methods, tasks } = builtIn;
const isAxis = (name: string): boolean => (AXES as readonly string[]).includes(name);
const top = table(inputSchema(specSchema), (name, field) =>
  isAxis(name) && field.items?.type !== undefined
    ? `${describeSchema(field.items)} or a list of them`
    : describeSchema(field),
);
const sections = [HEAD, '## Fields\n', top, '## Methods\n'];
for (const axis of AXIS_ORDER) {
  for (const method of [...methods.values()].filter((one) => one.axis === axis)) {
    sections.push(`### \`${method.name}\`\n`, `${method.summary} (${axis}; ${method.paper}).\n`);
    sections.push(table(inputSchema(method.params)));
  }
}
sections.push('## Tasks\n', 'Beside the fields below, each may have `samples`.\n');
const families = groupBy([...tasks.values()], ({ family }) => family);
for (const [family, members] of families) {
  sections.push(`### \`${family}\`\n`);
  const forms = groupBy(members, ({ params }) => table(inputSchema(params)));
  for (const [fields, alike] of forms) {
    sections.push(`${alike.map(({ name }) => `\`${name}\``).join(', ')}\n`, fields);
  }
}
writeFileSync(packageFile('docs', 'spec.md'), `${sections.join('\n').trimEnd()}\n`);
