import type { HostPort } from '../../src/model/address.js';
import { partGeometry } from '../../src/model/geometry.js';
import type { FileMd5, SessionId } from '../../src/model/ids.js';
import {
  decodeAadr,
  decodeAdel,
  decodeAfch,
  decodeAlgi,
  decodeApad,
  decodeLogout,
} from '../../src/protocol/answers.js';
import { TrackerLink } from './tracker-link.js';

const PARTS = 1_024;
const PART_SIZE = 1_000;
const LEECHES = 4;
const FIRST_PORT = 50_000;
const WATCHED = 'e'.repeat(32) as FileMd5;

/** What it saw. */
export interface Witnessed {
  /** RPADs that were answered. */
  readonly told: number;
  /** Of them, those whose part is missing from an AFCH afterwards. */
  readonly lost: number;
  /** Twice two sources of a file that only they had logged out at the same time. */
  readonly pairs: number;
  /** Pairs of which both were let go. */
  readonly doubleLogouts: number;
}

/**
 * Watches from outside that the processes behind one address share one state, while others ask them: each peer of it has
 * two connections, which a leader hands to different processes.
 */
export async function witness(tracker: HostPort, until: Promise<unknown>): Promise<Witnessed> {
  let isOver = false;
  const over = until.finally(() => {
    isOver = true;
  });
  const links: [TrackerLink, TrackerLink][] = [];
  const pair = async () => {
    const both: [TrackerLink, TrackerLink] = [
      await TrackerLink.open(tracker),
      await TrackerLink.open(tracker),
    ];
    links.push(both);
    return both;
  };
  try {
    const source = await pair();
    const session = await logIn(source[0], FIRST_PORT);
    await addFile(source[0], session, WATCHED);
    const leeches = Array.from({ length: LEECHES }, async (_, n) =>
      tellParts(await pair(), FIRST_PORT + 1 + n, () => isOver),
    );
    const leaving = pairsLeave([await pair(), await pair()], () => isOver);
    const [told, { pairs, doubleLogouts }] = await Promise.all([Promise.all(leeches), leaving, over]);
    let lost = 0;
    for (const link of source) {
      const owners = await link.ask({ command: 'FCHU', session, md5: WATCHED }, decodeAfch(PARTS));
      for (const [n, parts] of told.entries()) {
        const found = owners.find(({ address }) => address.port === FIRST_PORT + 1 + n)?.parts;
        lost += parts.filter((part) => found?.has(part) !== true).length;
      }
    }
    return { told: told.reduce((sum, parts) => sum + parts.length, 0), lost, pairs, doubleLogouts };
  } finally {
    for (const link of links.flat()) link.close();
  }
}

/** Half of the parts by each of the two connections, until all were told or it is over. The parts that were answered. */
async function tellParts(
  links: readonly [TrackerLink, TrackerLink],
  port: number,
  isOver: () => boolean,
): Promise<number[]> {
  const session = await logIn(links[0], port);
  const answered: number[] = [];
  const tell = async (link: TrackerLink, first: number) => {
    for (let part = first; part < PARTS && !isOver(); part += 2) {
      await link.ask({ command: 'RPAD', session, md5: WATCHED, part }, decodeApad());
      answered.push(part);
    }
  };
  await Promise.all([tell(links[0], 0), tell(links[1], 1)]);
  return answered;
}

async function pairsLeave(
  peers: readonly [readonly TrackerLink[], readonly TrackerLink[]],
  isOver: () => boolean,
): Promise<Pick<Witnessed, 'pairs' | 'doubleLogouts'>> {
  let [pairs, doubleLogouts] = [0, 0];
  for (; !isOver(); pairs += 1) {
    const md5 = pairs.toString(16).padStart(32, 'd') as FileMd5;
    const answers = await Promise.all(
      peers.map(async (links, n) => {
        const session = await logIn(links[0]!, FIRST_PORT + 1_000 + n);
        await addFile(links[1]!, session, md5);
        return session;
      }),
    ).then((sessions) =>
      Promise.all(
        sessions.map(async (session, n) => {
          const { left } = await peers[n]![n]!.ask({ command: 'LOGO', session }, decodeLogout());
          return { session, left };
        }),
      ),
    );
    if (answers.every(({ left }) => left)) doubleLogouts += 1;
    for (const [n, { session, left }] of answers.entries())
      if (!left) await peers[n]![0]!.ask({ command: 'DELR', session, md5 }, decodeAdel());
  }
  return { pairs, doubleLogouts };
}

function logIn(link: TrackerLink, port: number): Promise<SessionId> {
  return link.ask({ command: 'LOGI', address: { v4: '127.0.0.1', v6: null, port } }, decodeAlgi());
}

async function addFile(link: TrackerLink, session: SessionId, md5: FileMd5): Promise<void> {
  const { fileSize, partSize } = partGeometry(PARTS * PART_SIZE, PART_SIZE);
  await link.ask(
    { command: 'ADDR', session, md5, name: `witnessed ${md5}`, fileSize, partSize },
    decodeAadr(),
  );
}
