/**
 * The chosen file: its parts, its peers, and what can be done with it.
 *
 * Invariant: `#file` is the last answer about `#md5`, null before the first; at most one question is under way.
 */
import type { Api } from './api.js';
import type { FileDetail as Detail, FileEntry, Priority } from './contract.js';
import { byId, element, say } from './element.js';
import { stateWord } from './file-row.js';
import { PartMap } from './part-map.js';
import { bytes, count, duration, limit, rate } from './quantity.js';
import { type Cell, Table } from './table.js';

const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];

export interface DetailEvents {
  toggle(file: FileEntry): void;
  remove(file: FileEntry): void;
  limits(file: Detail): void;
  priority(file: FileEntry, priority: Priority): void;
  copy(file: FileEntry): void;
  failed(error: unknown): void;
}

export class FileDetail {
  readonly #api: Api;
  readonly #events: DetailEvents;
  readonly #root = byId('detail');
  readonly #error = byId('detail-error');
  readonly #facts = byId('detail-facts');
  readonly #parts = byId('detail-parts');
  readonly #map = new PartMap(byId<HTMLCanvasElement>('part-map'));
  readonly #owners = new Table(byId('detail-owners'), 'detail-swarm-title', [
    { title: 'Peer' },
    { title: 'Has', number: true },
    { title: 'Rate', number: true },
  ]);
  readonly #toggle = element('button', { type: 'button' });
  readonly #remove = element('button', { type: 'button' }, 'Remove…');
  readonly #limits = element('button', { type: 'button' }, 'Limits…');
  readonly #copy = element('button', { type: 'button' }, 'Copy magnet');
  readonly #open = element('a', { class: 'button', target: '_blank', rel: 'noopener noreferrer' }, 'Open');
  readonly #priority = element(
    'select',
    { 'aria-label': 'Priority' },
    ...PRIORITIES.map((each) => element('option', { value: each }, `Priority: ${each}`)),
  );
  #md5: string | null = null;
  #file: Detail | null = null;
  #asking = false;

  constructor(api: Api, events: DetailEvents) {
    this.#api = api;
    this.#events = events;
    const onFile = (button: HTMLElement, kind: string, act: (file: Detail) => void) =>
      button.addEventListener(kind, () => {
        if (this.#file !== null) act(this.#file);
      });
    onFile(this.#toggle, 'click', (file) => events.toggle(file));
    onFile(this.#remove, 'click', (file) => events.remove(file));
    onFile(this.#limits, 'click', (file) => events.limits(file));
    onFile(this.#copy, 'click', (file) => events.copy(file));
    onFile(this.#priority, 'change', (file) => events.priority(file, this.#priority.value as Priority));
    const buttons = [this.#toggle, this.#open, this.#copy, this.#limits, this.#remove];
    byId('detail-actions').append(this.#priority, ...buttons);
  }

  /** Null: none is chosen. What was there stays, without effect, until the answer: nothing jumps under the keys. */
  choose(md5: string | null): void {
    this.#md5 = md5;
    this.#file = null;
    if (md5 === null) this.#root.hidden = true;
    void this.refresh();
  }

  /** Asks again for the file that is chosen. */
  async refresh(): Promise<void> {
    const md5 = this.#md5;
    if (md5 === null || this.#asking) return;
    this.#asking = true;
    try {
      const file = await this.#api.get<Detail>(`/files/${md5}`);
      if (md5 === this.#md5) this.#show(file);
    } catch (error) {
      if (md5 === this.#md5 && this.#file === null) {
        this.#root.hidden = true;
        this.#events.failed(error);
      }
    } finally {
      this.#asking = false;
    }
    if (md5 !== this.#md5) void this.refresh();
  }

  #show(file: Detail): void {
    this.#file = file;
    this.#root.hidden = false;
    const shared = file.state === 'shared';
    say(byId('detail-name'), file.name);
    say(this.#toggle, file.state === 'paused' || file.state === 'failed' ? 'Resume' : 'Pause');
    this.#toggle.hidden = shared;
    say(this.#remove, shared ? 'Stop sharing…' : 'Remove…');
    this.#open.href = `/files/${file.md5}`;
    // A link brings no token.
    this.#open.hidden = this.#api.hasToken || file.size === 0;
    this.#priority.hidden = file.priority === null;
    if (file.priority !== null && document.activeElement !== this.#priority)
      this.#priority.value = file.priority;
    this.#error.hidden = file.error === null;
    say(this.#error, file.error === null ? '' : file.error.message);
    this.#showFacts(file);
    const parts = file.partCount;
    say(
      this.#parts,
      parts === 0
        ? 'Parts: not known before a tracker has described the file'
        : `Parts: ${file.parts.toLocaleString('en')} of ${parts.toLocaleString('en')} stored`,
    );
    this.#map.show(file.partMap, parts);
    // Nobody is missed who could give what is here.
    byId('detail-swarm').hidden = shared && file.owners.length === 0;
    this.#owners.show(
      file.owners.map(({ address, parts: has, complete, banned, rate: now }): Cell[] => [
        [address, banned ? 'Banned: it sent wrong bytes' : ''],
        complete ? 'all' : `${has.toLocaleString('en')} of ${parts.toLocaleString('en')}`,
        now > 0 ? rate(now) : '–',
      ]),
      'No peer is known yet. Trackers are asked again and again.',
    );
  }

  #showFacts(file: Detail): void {
    const shared = file.state === 'shared';
    const left = file.size - file.stored;
    const known: readonly (readonly [string, string | null])[] = [
      ['State', stateWord(file)],
      ['Size', file.size === 0 ? 'not known yet' : bytes(file.size)],
      ['Stored', bytes(file.stored)],
      ['Rate', rate(file.rate)],
      ['Left', file.state === 'downloading' && file.rate > 0 ? duration(left / file.rate) : null],
      ['Peers', shared ? null : count(file.peers, 'peer', 'peers')],
      ['Uploaded', bytes(file.uploadedBytes)],
      ['Upload limit', limit(file.limits.upload)],
      ['Download limit', shared ? null : limit(file.limits.download)],
      ['MD5', file.md5],
      ['Path', file.path],
    ];
    const facts = known.filter((fact): fact is readonly [string, string] => fact[1] !== null);
    const names = facts.map(([name]) => name).join();
    if (this.#facts.dataset.names !== names) {
      this.#facts.dataset.names = names;
      this.#facts.replaceChildren(
        ...facts.map(([name]) =>
          element(
            'div',
            { class: name === 'MD5' || name === 'Path' ? 'wide' : null },
            element('dt', {}, name),
            element('dd'),
          ),
        ),
      );
    }
    facts.forEach(([, text], at) => {
      say(this.#facts.children[at]!.lastElementChild!, text);
    });
  }
}
