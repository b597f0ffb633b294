/**
 * Templates of data sets: texts with `{fields}`.
 *
 * A template is filled in one pass, so that braces inside a field stay as they are.
 */

/** A template with every `{name}` replaced. Throws RangeError where a field has no value. */
export function fillFields(template: string, fields: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields[name];
    if (value === undefined) throw new RangeError(`no value for the field {${name}}`);
    return value;
  });
}
