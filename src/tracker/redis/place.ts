import { type HostPort, parseHostPort } from '../../model/address.js';

/** An engine that speaks Redis' protocol, as `--store` names it. */
export interface RedisPlace {
  readonly form: 'single' | 'cluster' | 'sentinel';
  /** The engine; some nodes of the cluster; the sentinels. */
  readonly nodes: readonly [HostPort, ...HostPort[]];
  /** The name under which the sentinels know the engine; empty in the other forms. */
  readonly master: string;
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
}

const URL_FORM =
  /^(rediss?)(\+cluster|\+sentinel)?:\/\/(?:([^@/]*)@)?([^@/]+)(?:\/([^/]*))?(?:\/(\d{1,2}))?$/;
const PORT = 6379;
const SENTINEL_PORT = 26379;

/**
 * `redis://HOST:PORT/DB`, `redis+cluster://HOST:PORT,HOST:PORT`, `redis+sentinel://HOST:PORT,HOST:PORT/MASTER/DB`,
 * each also with `rediss` (TLS) and with `USER:PASSWORD@` (percent-encoded) before the hosts; null when it is none.
 */
export function parseRedisPlace(text: string): RedisPlace | null {
  const match = URL_FORM.exec(text);
  if (match === null) return null;
  const [, scheme, kind = '', credentials, hosts, first = '', second] = match;
  const form = kind === '' ? 'single' : kind === '+cluster' ? 'cluster' : 'sentinel';
  const nodes = hosts!.split(',').map((host) => parseNode(host, form === 'sentinel' ? SENTINEL_PORT : PORT));
  const [head, ...others] = nodes.filter((node) => node !== null);
  if (head === undefined || others.length + 1 < nodes.length) return null;
  if (form === 'single' && nodes.length > 1) return null;
  const master = form === 'sentinel' ? first : '';
  const database = form === 'sentinel' ? (second ?? '') : first;
  if (form === 'sentinel' ? master === '' : second !== undefined) return null;
  if (!/^\d{0,2}$/.test(database) || (form === 'cluster' && database !== '')) return null;
  const known = parseCredentials(credentials ?? '');
  if (known === null) return null;
  return {
    form,
    nodes: [head, ...others],
    master,
    tls: scheme === 'rediss',
    ...known,
    database: Number(database),
  };
}

function parseNode(text: string, defaultPort: number): HostPort | null {
  const node = parseHostPort(text, defaultPort);
  return node === null || node.host === '' || node.port === 0 ? null : node;
}

function parseCredentials(text: string): Pick<RedisPlace, 'username' | 'password'> | null {
  const [username = '', ...password] = text.split(':');
  try {
    return {
      username: decodeURIComponent(username) || null,
      password: decodeURIComponent(password.join(':')) || null,
    };
  } catch {
    return null;
  }
}
