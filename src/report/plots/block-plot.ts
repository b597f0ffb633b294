/**
 * What the plots of one block have in common: its name in titles and files.
 */
import type { Block } from '../blocks.js';

/** `smollm2-135m · context 2048`, and how it was asked where that is not as usual. */
export function blockTitle({ model, context, question }: Omit<Block, 'tasks' | 'rows'>): string {
  return `${model} · context ${context}${question === 'appended' ? ' · question appended' : ''}`;
}

/** Part of a file name: letters, digits, dots and dashes only. */
export function slug(...parts: readonly (string | number)[]): string {
  return parts
    .map((part) =>
      String(part)
        .toLowerCase()
        .replace(/[^a-z0-9.]+/g, '-')
        .replace(/^[-.]+|[-.]+$/g, ''),
    )
    .filter((part) => part !== '')
    .join('-');
}

export function blockName(kind: string, { model, context, question }: Omit<Block, 'tasks' | 'rows'>): string {
  return slug(kind, model, context, question === 'appended' ? question : '');
}

/** `mean of 3 tasks` or the one task's name. */
export function tasksTitle(tasks: readonly string[]): string {
  return tasks.length === 1 ? tasks[0]! : `mean of ${tasks.length} tasks`;
}
