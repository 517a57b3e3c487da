import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from './project.js';

/** A panel as the generated JSON has it. */
export interface PanelJson {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
}

export interface DashboardJson {
  readonly title: string;
  readonly uid: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly query?: unknown }[] };
  readonly panels: readonly PanelJson[];
}

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
