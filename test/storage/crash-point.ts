/** Ends this process, as kill -9 does, at a chosen one of the steps by which it changes files. */
import fs from 'node:fs';
import promises, { type FileHandle, open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

type Method = (...args: unknown[]) => unknown;

const ENTRY_STEPS = ['open', 'rename', 'link', 'unlink', 'writeFile'];
const HANDLE_STEPS = ['truncate', 'write', 'writeFile', 'datasync', 'sync', 'close'];

/** Before the step number `step`, counted from 1, the process kills itself. Call it before anything else. */
export async function killBefore(step: number): Promise<void> {
  let taken = 0;
  const guard = (owner: Record<string, Method>, names: readonly string[]) => {
    for (const name of names) {
      const method = owner[name]!;
      owner[name] = function (this: unknown, ...args: unknown[]) {
        if (++taken === step) process.kill(process.pid, 'SIGKILL');
        return method.apply(this, args);
      };
    }
  };
  const handle: FileHandle = await open(process.execPath, 'r');
  await handle.close();
  guard(Object.getPrototypeOf(handle), HANDLE_STEPS);
  guard(promises as unknown as Record<string, Method>, ENTRY_STEPS);
  guard(fs as unknown as Record<string, Method>, ['writeSync']);
  syncBuiltinESMExports();
}
