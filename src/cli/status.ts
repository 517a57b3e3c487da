import type { Status } from '../http/api/status.js';
import { withDaemon } from './api-client.js';
import type { Invocation } from './invocation.js';
import { statusLines } from './status-lines.js';

/** `status`: what a running daemon does, and what it lacks. */
export async function run(invocation: Invocation<'status'>): Promise<void> {
  const { settings, output } = invocation;
  await withDaemon(invocation, async (daemon) => {
    const status = await daemon.get<Status>('/status');
    if (settings.json) output.json({ event: 'status', ...status });
    else output.print(...statusLines(status));
  });
}
