/** The tasks that a spec may name, in the order in which they are listed. */
import { infinitebenchHubTasks } from './infinitebench/hub.js';
import { infinitebenchTasks } from './infinitebench/list.js';
import { longbenchHubTasks } from './longbench/hub.js';
import { longbenchETasks, longbenchTasks } from './longbench/list.js';
import { longbenchV2Tasks } from './longbench-v2/task.js';
import { loogleHubTasks } from './loogle/hub.js';
import { loogleTasks } from './loogle/list.js';
import { needleTasks } from './needle/list.js';
import { ownTasks } from './own/list.js';
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
    ...longbenchTasks,
    ...longbenchETasks,
    ...longbenchHubTasks,
    ...infinitebenchTasks,
    ...infinitebenchHubTasks,
    ...loogleTasks,
    ...loogleHubTasks,
    ...zeroScrollsTasks,
    ...longbenchV2Tasks,
    ...ownTasks,
  ].map((task): [string, Task] => [task.name, task as Task]),
);
