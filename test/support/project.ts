import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A file of the project that is no code, such as what is shipped beside it. */
export function projectPath(...path: string[]): string {
  return join(ROOT, ...path);
}
