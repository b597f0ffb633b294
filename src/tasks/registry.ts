/** The tasks that a spec may name, in the order in which they are listed. */
import { niahTasks } from './ruler/niah.js';
import type { Task } from './types.js';

export const tasks: ReadonlyMap<string, Task> = new Map(
  niahTasks.map((task): [string, Task] => [task.name, task as Task]),
);
