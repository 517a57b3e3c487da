/** Of Grafana's dark theme. */

const NAMED: Readonly<Record<string, string>> = {
  green: '#73bf69',
  yellow: '#fade2a',
  red: '#f2495c',
  blue: '#5794f2',
  text: '#ccccdc',
};

/** For one series after the other. */
const PALETTE = [
  ...['#73bf69', '#f2cc0c', '#8ab8ff', '#ff780a', '#f2495c', '#5794f2', '#b877d9', '#705da0'],
  ...['#37872d', '#fade2a', '#447ebc', '#c15c17', '#890f02', '#0a437c', '#6d1f62', '#584477'],
];

export function named(color: string): string {
  const found = NAMED[color];
  if (found === undefined) throw new Error(`no such color: ${color}`);
  return found;
}

export function ofSeries(place: number): string {
  return PALETTE[place % PALETTE.length]!;
}
