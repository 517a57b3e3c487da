/** What searches by flooding leave to the next ones: what they found, and whose answers they were. */
import { formatHostPort, parseHostPort } from '../model/address.js';
import { parseFileMd5 } from '../model/ids.js';
import { AnswerCache, type KeptAnswer } from '../policy/answer-cache.js';
import { type KeptMerit, NeighbourRanking } from '../policy/neighbour-ranking.js';
import { readStateFile, replaceStateFile } from './state-file.js';

const FILE = 'search-memory.json';
const MOST_BYTES = 8_388_608;

export interface SearchMemory {
  readonly answers: AnswerCache;
  readonly ranking: NeighbourRanking;
}

type Fields = Partial<Record<string, unknown>> | null;

/** Of a node that has not searched yet. */
export function emptySearchMemory(): SearchMemory {
  return { answers: new AnswerCache(), ranking: new NeighbourRanking() };
}

/** As the last search left it; empty when there is none, or what is there cannot be read. */
export async function readSearchMemory(stateDir: string): Promise<SearchMemory> {
  const answers = new AnswerCache();
  const kept = (await readStateFile(stateDir, FILE, MOST_BYTES)) as Fields;
  for (const answer of listOf(kept?.answers).flatMap((each) => answerOf(each) ?? [])) {
    answers.add(answer, answer.at);
  }
  const merits = listOf(kept?.merits).flatMap((each) => meritOf(each) ?? []);
  return { answers, ranking: new NeighbourRanking({ merits }) };
}

/**
 * Replaces what is kept in the state folder, in one step; of two searches that end together, one leaves its memory. `now`
 * in milliseconds. Rejects as the system does.
 */
export function keepSearchMemory(
  stateDir: string,
  { answers, ranking }: SearchMemory,
  now: number,
): Promise<void> {
  const recent = answers.recent(now).reverse();
  return replaceStateFile(stateDir, FILE, {
    answers: recent.map(({ tracker: { host, port }, ...answer }) => ({
      ...answer,
      tracker: formatHostPort(host, port),
    })),
    merits: ranking.merits(),
  });
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value : [];
}

function answerOf(fields: Fields): KeptAnswer | null {
  const { md5, name, tracker, at } = fields ?? {};
  const id = parseFileMd5(String(md5));
  const place = parseHostPort(String(tracker), 0);
  if (id === null || place === null || place.port === 0) return null;
  if (typeof name !== 'string' || typeof at !== 'number') return null;
  return { md5: id, name, tracker: place, at };
}

function meritOf(fields: Fields): KeptMerit | null {
  const { word, neighbour, amount, at } = fields ?? {};
  if (typeof word !== 'string' || typeof neighbour !== 'string') return null;
  if (typeof amount !== 'number' || typeof at !== 'number') return null;
  return { word, neighbour, amount, at };
}
