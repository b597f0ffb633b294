/**
 * Prompts and answers that reach beyond the positions of a model: the published protocols have such limits.
 *
 * `max_context` counts the context alone, so that what follows it may lie beyond. That stays, but it is said, task by task.
 */
import type { ModelFiles } from '../../checkpoint/types.js';
import type { TaskCell } from '../../experiment/types.js';
import type { Sample } from '../../tasks/types.js';
import { promptParts } from './prompt.js';

/** How many tokens there are at most. */
interface Reach {
  readonly context: number;
  /** Between the context and the answer; undefined where no sample tells. */
  readonly behind?: number | undefined;
  readonly answer: number;
}

/** The furthest of a group's samples, as long as they come. */
export class FurthestReach {
  private furthest: Reach | undefined;

  constructor(
    private readonly files: Pick<ModelFiles, 'name' | 'tokenizer' | 'chatTemplate' | 'config'>,
    private readonly group: Pick<TaskCell, 'model' | 'task' | 'question' | 'maxContext'>,
  ) {}

  look(sample: Sample): void {
    const { maxContext, question } = this.group;
    if (maxContext === undefined) return;
    const { config, tokenizer } = this.files;
    const { before, suffixIds } = promptParts(this.files, sample, question);
    const [{ maxNewTokens }] = sample.questions;
    const reach = { context: maxContext, behind: suffixIds.length, answer: maxNewTokens };
    if (sum(reach) <= Math.max(config.maxPositions, this.furthest === undefined ? 0 : sum(this.furthest)))
      return;
    // no tokenizer makes more tokens of a text than it has bytes: only of a short one they are counted
    if (Buffer.byteLength(before) < maxContext) reach.context = tokenizer.encode(before).length;
    if (this.furthest === undefined || sum(reach) > sum(this.furthest)) this.furthest = reach;
  }

  /** What a user should know, where anything reaches beyond. */
  remark(): string | undefined {
    return this.furthest && beyondPositions(this.group, this.furthest, this.files.config.maxPositions);
  }
}

/** The sentence on what reaches beyond a model's positions; undefined where nothing does. */
export function beyondPositions(
  { task, model }: Pick<TaskCell, 'task' | 'model'>,
  reach: Reach,
  maxPositions: number,
): string | undefined {
  const beyond = sum(reach) - maxPositions;
  if (beyond <= 0) return undefined;
  const { context, behind, answer } = reach;
  const between = behind === undefined ? '' : `, ${behind} behind them`;
  const least = behind === undefined ? ', and what stands between them comes on top' : '';
  return `${task}: contexts of up to ${context} tokens${between} and ${answer} to generate reach ${beyond} beyond the ${maxPositions} positions of ${model}${least}`;
}

function sum({ context, behind = 0, answer }: Reach): number {
  return context + behind + answer;
}
