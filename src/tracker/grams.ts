/**
 * Three characters in a row, with the many characters there are in few classes. Two texts with the same grams need not be
 * equal, but a text that contains another has its grams.
 */
const CLASS_BITS = 6;
const CLASSES = 1 << CLASS_BITS;
const GRAM = 3;
/** What letters outside ASCII and rarer signs share: the classes from here on. */
const FIRST_SHARED = 40;
const OWN_CLASSES = 'abcdefghijklmnopqrstuvwxyz0123456789 .-';
/** After the end of a text: class 0, which no character has. */
const END = 0;

const CLASS_OF = new Uint8Array(128);
for (let unit = 0; unit < 128; unit += 1) {
  const own = OWN_CLASSES.indexOf(String.fromCharCode(unit));
  CLASS_OF[unit] = own >= 0 ? own + 1 : sharedClass(unit);
}

function sharedClass(unit: number): number {
  return FIRST_SHARED + (unit % (CLASSES - FIRST_SHARED));
}

function classAt(text: string, at: number): number {
  if (at >= text.length) return END;
  const unit = text.charCodeAt(at);
  return unit < 128 ? CLASS_OF[unit]! : sharedClass(unit);
}

/** How many different grams there are: a bound of the memory of whatever is kept for each, whatever names are made of. */
export const GRAMS = 1 << (CLASS_BITS * GRAM);

/** The different grams of a text: for each of its characters the classes of that one and the two behind it. */
export function gramsOf(text: string): Set<number> {
  const grams = new Set<number>();
  for (let at = 0; at < text.length; at += 1) grams.add(gramAt(text, at));
  return grams;
}

/** Grams `first` … `first + count − 1`. */
export interface GramRange {
  readonly first: number;
  readonly count: number;
}

/**
 * Ranges in each of which a text that contains `text` (not empty) has a gram: one for every three characters in a row;
 * of a shorter text one, the grams that begin with it.
 */
export function rangesOf(text: string): GramRange[] {
  if (text.length < GRAM) {
    const count = 1 << (CLASS_BITS * (GRAM - text.length));
    return [{ first: gramAt(text, 0) & -count, count }];
  }
  const ranges: GramRange[] = [];
  for (let at = 0; at <= text.length - GRAM; at += 1) ranges.push({ first: gramAt(text, at), count: 1 });
  return ranges;
}

function gramAt(text: string, at: number): number {
  return (
    (classAt(text, at) << (2 * CLASS_BITS)) | (classAt(text, at + 1) << CLASS_BITS) | classAt(text, at + 2)
  );
}
