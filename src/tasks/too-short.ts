/** The error of a sample that does not fit into the context length, with one into which it does. */
import { UserError } from '../base/errors.js';

export class ContextTooShort extends UserError {
  /** @param needs tokens into which this sample fits; others may need more */
  constructor(
    message: string,
    readonly needs: number,
    hint: string,
  ) {
    super(message, { hint, exitCode: 2 });
  }
}
