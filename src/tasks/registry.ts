/** The tasks that a spec may name, in the order in which they are listed. */
import { infinitebenchTasks } from './infinitebench/list.js';
import { longbenchV2Tasks } from './longbench-v2/task.js';
import { loogleTasks } from './loogle/list.js';
import { needleTasks } from './needle/list.js';
import { reciteTasks } from './recite/list.js';
import { rulerHubTasks } from './ruler/hub.js';
import { rulerTasks } from './ruler/list.js';
import type { Task } from './types.js';
import { zeroScrollsTasks } from './zeroscrolls/list.js';

export const tasks: ReadonlyMap<string, Task> = new Map(
  [
    ...rulerTasks,
    ...rulerHubTasks,
    ...reciteTasks,
    ...needleTasks,
    ...infinitebenchTasks,
    ...loogleTasks,
    ...zeroScrollsTasks,
    ...longbenchV2Tasks,
  ].map((task): [string, Task] => [task.name, task as Task]),
);
