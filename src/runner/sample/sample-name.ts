/** What a sample is called in messages: `ruler/niah_single_1 1024 #3`. */

export function sampleName(
  group: { readonly task: string; readonly context: number },
  sample: number,
): string {
  return `${group.task} ${group.context} #${sample}`;
}
