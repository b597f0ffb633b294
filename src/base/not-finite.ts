/** Numbers of a model that are not finite: what every place that meets them says. */
import { UserError } from './errors.js';

/** @param message what is not finite, and where */
export function notFinite(message: string): UserError {
  return new UserError(message, {
    hint: 'The model produced numbers that are not finite; are its weights whole?',
  });
}
