/** Whether Chinese texts can be segmented here. */
import type { Context } from 'mocha';
import { UserError } from '../../src/base/errors.js';
import { segmentChinese } from '../../src/tasks/scorers/jieba.js';

export function jiebaPresent(): boolean {
  try {
    segmentChinese('');
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Skips the running test, and says why, where the optional package is not installed. */
export function skipWithoutJieba(test: Context): void {
  if (jiebaPresent()) return;
  process.stderr.write('      skipped: needs the optional package @node-rs/jieba\n');
  test.skip();
}
