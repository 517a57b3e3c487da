/**
 * Generates MD5's compression function for several lanes at once.
 *
 * Each step of MD5 waits for the one before it, and leaves most of a processor's vector units idle. So besides four
 * lanes side by side in each vector, a function takes *groups* of lanes whose steps alternate. Where a vector addition
 * takes one cycle two groups fill the units and a third gains nothing; where it takes two (Zen 5) two groups double the
 * rate, a third adds 28 %, and a fourth gains nothing, as the state does not fit the registers any more. All else is left
 * to the engine's optimizer: words of the block in locals and plain constants measured no slower than tables in memory,
 * and shuffles that rotate by 16 no faster than shifts.
 */
import { DATA_ADDRESSES, functionName, STATE_ADDRESSES } from './abi.js';
import { type Code, get, i32, LOOP, type Local, loopWhile, set, tee } from './instructions.js';
import { BLOCK_BYTES, STEPS } from './md5-definition.js';
import { encodeModule, FunctionWriter } from './module-writer.js';
import { fourLanes, oneLane, type Word } from './words.js';

/** One or two lanes in plain words: runs everywhere. */
export const scalarModule = (): Uint8Array => encodeModule([blocks(oneLane, 1), blocks(oneLane, 2)]);

/** As many lanes as pay; one and two are faster in plain words than in a vector that is half empty, four may be (width.ts). */
export const simdModule = (): Uint8Array =>
  encodeModule([
    ...[1, 2, 4].map((groups) => blocks(oneLane, groups)),
    ...[1, 2, 3].map((groups) => blocks(fourLanes, groups)),
  ]);

interface Group {
  /** Data address of each lane. */
  readonly data: readonly Local[];
  /** Code that gives the state address of each lane. */
  readonly stateAddresses: readonly Code[];
  /** A, B, C, D now, and as they were before the block. */
  readonly state: readonly Local[];
  readonly before: readonly Local[];
  readonly words: readonly Local[];
  readonly spare: Local;
}

/** (table, count): hashes `count` ≥ 1 blocks of each lane into the lane's state. */
function blocks(word: Word, groupCount: number): FunctionWriter {
  const body = new FunctionWriter(functionName(word.form, word.lanes * groupCount), 2);
  const table = get(0);
  const count: Local = 1;
  const groups = Array.from({ length: groupCount }, (_, index): Group => {
    const ids = Array.from({ length: word.lanes }, (_, lane) => index * word.lanes + lane);
    const data = body.locals(word.lanes, 'i32');
    body.emit(...ids.map((id, lane) => set(data[lane]!, i32.load(table, DATA_ADDRESSES + 4 * id))));
    return {
      data,
      stateAddresses: ids.map((id) => i32.load(table, STATE_ADDRESSES + 4 * id)),
      state: body.locals(4, word.type),
      before: body.locals(4, word.type),
      words: body.locals(16, word.type),
      spare: body.local(word.type),
    };
  });
  for (const group of groups) word.loadFour(body, group.stateAddresses, 0, group.state);
  body.emit(LOOP);
  oneBlock(body, word, groups);
  body.emit(loopWhile(tee(count, i32.sub(get(count), i32.constant(1)))));
  for (const group of groups) word.storeFour(body, group.stateAddresses, group.state);
  return body;
}

function oneBlock(body: FunctionWriter, word: Word, groups: readonly Group[]): void {
  for (const { data, words, state, before } of groups) {
    for (let four = 0; four < 16; four += 4) {
      word.loadFour(body, data.map(get), 4 * four, words.slice(four, four + 4));
    }
    body.emit(...before.map((kept, index) => set(kept, get(state[index]!))));
  }
  for (const index of STEPS.keys()) {
    for (const group of groups) body.emit(step(word, group, index));
  }
  for (const { data, state, before } of groups) {
    body.emit(...state.map((now, index) => set(now, word.add(get(now), get(before[index]!)))));
    body.emit(...data.map((address) => set(address, i32.add(get(address), i32.constant(BLOCK_BYTES)))));
  }
}

/** a = b + ((a + mix(b, c, d) + word + constant) <<< rotation), where a … d are A … D, turned by one each step. */
function step(word: Word, group: Group, index: number): Code {
  const { round, word: number, constant, rotation } = STEPS[index]!;
  const turned = (position: number) => group.state[(position + 3 * index) % 4]!;
  const [a, b, c, d] = [turned(0), turned(1), turned(2), turned(3)];
  const sum = word.add(word.add(get(a), word.constant(constant)), get(group.words[number]!));
  const mixed = ROUND_FUNCTIONS[round]!(word, sum, get(b), get(c), get(d));
  return set(a, word.add(get(b), word.rotateLeft(mixed, rotation, group.spare)));
}

/**
 * F, G, H and I of RFC 1321, added to the sum so far; `b` is what the step before computed, so it comes in as late as
 * can be.
 */
const ROUND_FUNCTIONS: readonly ((word: Word, sum: Code, b: Code, c: Code, d: Code) => Code)[] = [
  // F = (b & c) | (~b & d): where b is set c, else d.
  ({ add, and, xor }, sum, b, c, d) => add(sum, xor(d, and(b, xor(c, d)))),
  // G = (b & d) | (c & ~d): no bit is in both halves, so they may be added one after the other, the one without b first.
  ({ add, and, andNot }, sum, b, c, d) => add(add(sum, andNot(c, d)), and(b, d)),
  // H = b ^ c ^ d
  ({ add, xor }, sum, b, c, d) => add(sum, xor(b, xor(c, d))),
  // I = c ^ (b | ~d)
  ({ add, xor, or, not }, sum, b, c, d) => add(sum, xor(c, or(b, not(d)))),
];
