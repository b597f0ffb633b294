/** The copy of LooGLE that the SparK paper's harness is wired to: one question a row, nearly the official prompts. */
import { hubCopyTasks, type HubParams } from '../files/hub-copy.js';
import type { Task } from '../types.js';
import { loogleScore, loogleTasks } from './list.js';
import type { LoogleName } from './templates.js';

export const loogleHubTasks: readonly Task<HubParams>[] = hubCopyTasks({
  family: 'loogle-hub',
  repository: 'simonjegou/loogle',
  tasks: loogleTasks.map((official) => {
    const name = official.name.slice(official.name.indexOf('/') + 1) as LoogleName;
    return { name, summary: official.summary, notes: official.notes, score: loogleScore(name) };
  }),
});
