/** RULER's thirteen tasks (arXiv 2404.06654), in the order of its paper. */
import { cweTask } from './cwe.js';
import { fweTask } from './fwe.js';
import { niahTasks } from './niah.js';
import { qaTasks } from './qa.js';
import { vtTask } from './vt.js';

export const rulerTasks = [...niahTasks, vtTask, cweTask, fweTask, ...qaTasks] as const;
