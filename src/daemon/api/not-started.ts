import { UsageError } from '../../core/errors.js';

export function notStarted(): UsageError {
  return new UsageError('NOT_STARTED', 'the daemon has not started yet: try again');
}
