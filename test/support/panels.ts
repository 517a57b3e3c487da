import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DashboardJson } from '../../grafana/panel-json.js';
import { projectPath } from './project.js';

/** The dashboards as they are shipped, by the name of their file without its ending. */
export async function shippedDashboards(): Promise<ReadonlyMap<string, DashboardJson>> {
  const folder = projectPath('grafana', 'dashboards');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const read = async (file: string) =>
    JSON.parse(await readFile(join(folder, file), 'utf8')) as DashboardJson;
  return new Map(
    await Promise.all(files.map(async (file) => [file.slice(0, -5), await read(file)] as const)),
  );
}
