/** What the page shows of the node as a whole: totals, what it lacks, slots, trackers, throughput. */
import type { Api } from './api.js';
import type { History, SlotPeer, Slots, Status, TrackerEntry } from './contract.js';
import { byId, element, say } from './element.js';
import { bytes, count, duration, limit, rate } from './quantity.js';
import { type Cell, Table } from './table.js';
import { ThroughputChart } from './throughput-chart.js';

/** Why a peer holds a slot (PROTOCOL.md §4). */
const REASONS: Readonly<Record<string, string>> = {
  regular: 'Regular: by its turn, or earned by what it gave',
  optimistic: 'Optimistic: may begin without giving',
  idle: 'Lent: nobody with a claim waits',
};

const TRACKER_STATES: Readonly<Record<string, string>> = {
  new: 'Not logged in yet',
  'logged-in': 'Logged in',
  away: 'Away',
};

export class NodeView {
  readonly #api: Api;
  readonly #chart = new ThroughputChart(byId('throughput'));
  readonly #slots = new Table(byId('slots'), 'slots-title', [
    { title: 'Peer, and why' },
    { title: 'Up', number: true },
    { title: 'Down', number: true },
  ]);
  readonly #trackers = new Table(byId('trackers'), 'trackers-title', [
    { title: 'Tracker' },
    { title: 'Files', number: true },
  ]);

  constructor(api: Api) {
    this.#api = api;
  }

  /** Rejects with ApiError. */
  async loadHistory(): Promise<void> {
    this.#chart.begin(await this.#api.get<History>('/history'));
  }

  /** Slots and trackers as they are now. Rejects with ApiError. */
  async loadPeers(): Promise<void> {
    const [slots, trackers] = await Promise.all([
      this.#api.get<Slots>('/slots'),
      this.#api.get<readonly TrackerEntry[]>('/trackers'),
    ]);
    const waiting = slots.queued === 0 ? '' : `, ${count(slots.queued, 'request waits', 'requests wait')}`;
    say(byId('slots-total'), `${slots.inUse} of ${slots.total} in use${waiting}`);
    this.#slots.show(slots.peers.map(slotRow), 'Nobody asks for anything at the moment: all slots are free.');
    this.#trackers.show(
      trackers.map(({ tracker, state, lastError, files }): Cell[] => [
        [tracker, `${TRACKER_STATES[state] ?? state}${lastError === null ? '' : `: ${lastError}`}`],
        files.toLocaleString('en'),
      ]),
      'No tracker is set: a magnet link can name one, or the daemon’s --tracker option.',
    );
  }

  show(status: Status, now: number): void {
    const { totals, slots, limits, node, version, uptimeSeconds } = status;
    say(byId('node'), node.listen);
    byId('node').title = `Version ${version}, running for ${duration(uptimeSeconds)}`;
    say(byId('total-down'), rate(totals.downloadRate));
    say(byId('total-up'), rate(totals.uploadRate));
    byId('total-down').title = `${bytes(totals.downloadedBytes)} so far; ${limit(limits.download)}`;
    byId('total-up').title = `${bytes(totals.uploadedBytes)} so far; ${limit(limits.upload)}`;
    say(byId('total-peers'), totals.peers.toLocaleString('en'));
    say(byId('total-slots'), `${slots.inUse}/${slots.total}`);
    const free = Object.values(status.diskFree);
    say(byId('total-free'), free.length === 0 ? '–' : bytes(Math.min(...free)));
    document.title = `↓ ${rate(totals.downloadRate)} ↑ ${rate(totals.uploadRate)} · BugTorrent`;
    this.#chart.add(now, totals.uploadRate, totals.downloadRate);
    this.#showLacks(status);
  }

  #showLacks({ missing, hashing }: Status): void {
    const lines = missing.map(({ detail }) => `Not ready: ${detail}`);
    if (hashing.files > 0) {
      lines.push(
        `Hashing ${count(hashing.files, 'file', 'files')} before they are shared, ${bytes(hashing.bytesLeft)} left.`,
      );
    }
    const box = byId('lacks');
    box.hidden = lines.length === 0;
    if (box.textContent !== lines.join(''))
      box.replaceChildren(...lines.map((line) => element('div', {}, line)));
  }
}

function slotRow(peer: SlotPeer): Cell[] {
  const moves = (perSecond: number) => (perSecond > 0 ? rate(perSecond) : '–');
  return [[peer.peer, whyOf(peer)], moves(peer.uploadRate), moves(peer.downloadRate)];
}

function whyOf({ state, reason, queued, uploadRate, waitedMs }: SlotPeer): string {
  // Without a request at this moment is also whoever takes a part slowly.
  if (state === 'idle' && uploadRate === 0) return 'Asks for nothing';
  if (state !== 'waiting') return reason === null ? 'Has a slot' : (REASONS[reason] ?? reason);
  return `Waits ${duration(waitedMs / 1_000)} for ${count(queued, 'part', 'parts')}`;
}
