/** Writes `grafana/dashboards`: run from the root of the project, by `npm run grafana`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DASHBOARDS, jsonOf } from './dashboards.js';

for (const [name, dashboard] of Object.entries(DASHBOARDS)) {
  await writeFile(join('grafana', 'dashboards', `${name}.json`), jsonOf(dashboard));
}
