import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { settingNames } from '../../src/daemon/settings.js';
import { projectPath } from '../support/project.js';

interface Service {
  readonly image: string;
  readonly network_mode: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
}

async function yaml(...path: string[]) {
  return parse(await readFile(projectPath(...path), 'utf8'), { merge: true, strict: true });
}

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
