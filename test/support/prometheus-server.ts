import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Child } from '../../bench/lib/child.js';
import type { Span } from '../../grafana/drawing/series.js';
import { atEnd, type Scope } from './clean-up.js';
import { tempFolder } from './files.js';
import { get } from './http.js';
import { projectPath } from './project.js';
import { freePort } from './redis-server.js';

const READY_WITHIN_MS = 20_000;
const LOOK_MS = 100;

type Labels = Readonly<Record<string, string>>;
type Value = readonly [seconds: number, value: string];

/** One series of an answer: as it is now, or over time. */
interface Sample {
  readonly metric: Labels;
  readonly value: Value;
}

interface Samples {
  readonly metric: Labels;
  readonly values: readonly Value[];
}

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  /** inactive, pending or firing. */
  readonly state: string;
}

/** A real Prometheus on a loopback port of its own, with the configuration and the rules that are shipped. */
export class PrometheusServer {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Scrapes these every second, in place of the ports of the shipped configuration. Ended when the test is over. */
  static async start(t: Scope, targets: { tracker: string; daemon: string }): Promise<PrometheusServer> {
    const folder = await tempFolder(t);
    await cp(projectPath('grafana', 'prometheus'), folder, { recursive: true });
    const file = join(folder, 'prometheus.yml');
    const shipped = await readFile(file, 'utf8');
    const config = shipped
      .replaceAll(/_interval: \w+/g, '_interval: 1s')
      .replace('127.0.0.1:3080', targets.tracker)
      .replace('127.0.0.1:5080', targets.daemon);
    await writeFile(file, config);
    const at = `127.0.0.1:${await freePort()}`;
    const child = await Child.start('prometheus', 'prometheus', [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${at}`,
    ]);
    atEnd(t, () => child.end());
    const url = `http://${at}`;
    const isReady = () =>
      get(`${url}/-/ready`).then(
        ({ status }) => status === 200,
        () => false,
      );
    for (const until = performance.now() + READY_WITHIN_MS; !(await isReady()); await wait(LOOK_MS)) {
      if (performance.now() > until) child.fail('is not ready');
    }
    return new PrometheusServer(url);
  }

  /** What `query` gives now. */
  async query(query: string): Promise<readonly Sample[]> {
    return ((await this.#ask('query', { query })) as { result: readonly Sample[] }).result;
  }

  /** What `query` gave in `span`. */
  async queryRange(query: string, { from, to, step }: Span): Promise<readonly Samples[]> {
    const parameters = { query, start: `${from}`, end: `${to}`, step: `${step}` };
    return ((await this.#ask('query_range', parameters)) as { result: readonly Samples[] }).result;
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = (await this.#ask('rules', {})) as { groups: readonly { rules: readonly Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  }

  async #ask(what: string, parameters: Record<string, string>): Promise<unknown> {
    const { status, body } = await get(`${this.#url}/api/v1/${what}?${new URLSearchParams(parameters)}`);
    assert.equal(status, 200, `${parameters.query ?? what}: ${body}`);
    return JSON.parse(body).data;
  }
}
