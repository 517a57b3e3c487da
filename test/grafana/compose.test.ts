import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { environmentName, settingNames } from '../../src/daemon/settings.js';
import { tempFolder } from '../support/files.js';
import { get } from '../support/http.js';
import { listening, TestProgram } from '../support/process.js';
import { projectPath } from '../support/project.js';
import { soon } from '../support/soon.js';

const WITHIN_MS = 30_000;

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile_inline: string };
  readonly network_mode: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

async function yaml(...path: string[]) {
  return parse(await readFile(projectPath(...path), 'utf8'), { merge: true, strict: true });
}

const json = async (name: string) => JSON.parse(await readFile(projectPath(name), 'utf8'));

const { services, volumes } = (await yaml('compose.yaml')) as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, unknown>>;
};

test('compose.yaml brings up a tracker, a daemon, Prometheus and Grafana on ports that do not collide', () => {
  assert.deepEqual(Object.keys(services), ['tracker', 'daemon', 'prometheus', 'grafana']);
  for (const [name, service] of Object.entries(services)) {
    assert.equal(service.network_mode, 'host', `${name} is where its ports and addresses are the machine's`);
  }
  const { tracker, daemon, prometheus, grafana } = services;
  const { GF_SERVER_HTTP_ADDR, GF_SERVER_HTTP_PORT } = grafana!.environment!;
  const addresses = [
    flag(tracker!, '--listen'),
    flag(tracker!, '--http'),
    flag(daemon!, '--listen'),
    flag(daemon!, '--http'),
    prometheus!.command!.find((word) => word.startsWith('--web.listen-address='))!.split('=')[1]!,
    `${GF_SERVER_HTTP_ADDR}:${GF_SERVER_HTTP_PORT}`,
  ];
  const expected = [
    '[::]:3000',
    '127.0.0.1:3080',
    '[::]:5000',
    '127.0.0.1:5080',
    '127.0.0.1:9090',
    '127.0.0.1:3001',
  ];
  assert.deepEqual(addresses, expected);
});

test('compose.yaml gives the tracker and the daemon only flags that there are', () => {
  for (const name of ['tracker', 'daemon'] as const) {
    const [command, ...words] = services[name]!.command!;
    assert.equal(command, name);
    const there = settingNames(name).map((setting) => `--${setting}`);
    const given = words.filter((word) => word.startsWith('--'));
    assert.deepEqual(
      given.filter((word) => !there.includes(word)),
      [],
      name,
    );
  }
});

test('what compose.yaml mounts is there, or one of its volumes', () => {
  for (const source of Object.values(services).flatMap((service) => service.volumes.map(sourceOf))) {
    if (source.startsWith('./')) assert.ok(existsSync(projectPath(source)), source);
    else if (!source.startsWith('${')) assert.ok(source in volumes, source);
  }
});

test('the image has all that the build reads, and runs what package.json calls bugtorrent', async () => {
  const file = services.tracker!.build!.dockerfile_inline;
  const copied = [...file.matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, paths]) => paths!.split(' '));
  for (const path of copied) assert.ok(existsSync(projectPath(path)), path);
  const { include } = await json('tsconfig.json');
  const { bin, engines } = await json('package.json');
  for (const path of ['package.json', 'package-lock.json', 'tsconfig.json', ...include]) {
    assert.ok(copied.includes(path), `${path} is copied`);
  }
  assert.match(file, new RegExp(`^ENTRYPOINT \\["node", "${bin.bugtorrent}"\\]$`, 'm'));
  assert.ok(Number(/^FROM node:(\d+)/.exec(file)![1]) >= Number(/\d+/.exec(engines.node)![0]));
});

test('the commands of compose.yaml bring up a tracker and a daemon that finds it', async (t) => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'shared'));
  await writeFile(join(folder, 'shared', 'a.txt'), 'shared');
  /** Each container has folders of its own; ports that are free; the machine's address is loopback. */
  const program = new TestProgram(t, folder);
  const start = (name: 'tracker' | 'daemon', ...environment: string[]) => {
    const here = services[name]!.command!.map((word) =>
      word
        .replace('/state', join(folder, name))
        .replace('/shared', join(folder, 'shared'))
        .replace(/^(\[::\]|127\.0\.0\.1):\d+$/, '127.0.0.1:0'),
    );
    return program.cli(...here, ...environment);
  };
  const tracker = await start('tracker');
  const { [environmentName('tracker')]: at, ...others } = services.daemon!.environment!;
  assert.match(at!, /^\$\{ADDRESS:\?[^}]*\}:3000$/);
  assert.deepEqual(others, {});
  const daemon = await start('daemon', '--tracker', await listening(tracker, 'tracker'));
  for (const child of [tracker, daemon]) {
    const url = `http://${await listening(child, 'http')}`;
    await soon(async () => (await get(`${url}/readyz`)).status === 200, WITHIN_MS);
    assert.match((await get(`${url}/metrics`)).body, /^bugtorrent_build_info\{/m);
  }
});

test('Prometheus scrapes where they listen, and Grafana is given it and the dashboards', async () => {
  const config = await yaml('grafana', 'prometheus', 'prometheus.yml');
  const targets = config.scrape_configs.flatMap((job: { static_configs: { targets: string[] }[] }) =>
    job.static_configs.flatMap((each) => each.targets),
  );
  assert.deepEqual(targets, [flag(services.tracker!, '--http'), flag(services.daemon!, '--http')]);
  const { datasources } = await yaml('grafana', 'provisioning', 'datasources', 'prometheus.yaml');
  assert.equal(datasources[0].type, 'prometheus');
  assert.equal(datasources[0].url, 'http://127.0.0.1:9090');
  assert.equal(datasources[0].jsonData.timeInterval, config.global.scrape_interval);
  const { providers } = await yaml('grafana', 'provisioning', 'dashboards', 'bugtorrent.yaml');
  const mounted = services.grafana!.volumes.find((volume) => volume.startsWith('./grafana/dashboards:'));
  assert.equal(mounted?.split(':')[1], providers[0].options.path);
});

function flag({ command }: Service, name: string): string {
  return command![command!.indexOf(name) + 1]!;
}

/** What stands before the path in the container; a variable may have a colon in it. */
function sourceOf(volume: string): string {
  return /^(\$\{[^}]*\}|[^:]+):/.exec(volume)![1]!;
}
