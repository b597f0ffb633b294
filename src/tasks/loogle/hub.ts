/** The copy of LooGLE that the SparK paper's harness is wired to: one question a row, nearly the official prompts. */
import { hubCopyTasks, type HubParams } from '../files/hub-copy.js';
import type { Task } from '../types.js';
import { loogleTasks } from './list.js';

export const loogleHubTasks: readonly Task<HubParams>[] = hubCopyTasks({
  family: 'loogle-hub',
  repository: 'simonjegou/loogle',
  tasks: loogleTasks.map((official) => ({
    name: official.name.slice(official.name.indexOf('/') + 1),
    summary: official.summary,
    notes: official.notes,
    score: (prediction, answers) => official.score(prediction, answers),
  })),
});
