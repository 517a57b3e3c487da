/** All of the API that a daemon serves. */

import { routesOf } from '../../http/api/endpoint.js';
import { filesEndpoints } from '../../http/api/files.js';
import { settingsEndpoints } from '../../http/api/settings.js';
import { statusEndpoints } from '../../http/api/status.js';
import { swarmEndpoints } from '../../http/api/swarm.js';
import type { Routes } from '../../http/http-listener.js';
import { DaemonFiles } from './files.js';
import { DaemonSettings } from './settings.js';
import { DaemonStatus, type DaemonStatusInit } from './status.js';
import { DaemonSwarm } from './swarm.js';

export class DaemonApi {
  readonly routes: Routes;
  readonly #files: DaemonFiles;
  readonly #status: DaemonStatus;

  constructor(init: DaemonStatusInit) {
    const { seedbox } = init;
    this.#files = new DaemonFiles(seedbox);
    this.#status = new DaemonStatus(init);
    this.routes = routesOf([
      ...statusEndpoints(this.#status),
      ...filesEndpoints(this.#files),
      ...swarmEndpoints(new DaemonSwarm(seedbox)),
      ...settingsEndpoints(new DaemonSettings(seedbox)),
    ]);
  }

  stop(): void {
    this.#files.stop();
    this.#status.stop();
  }
}
