import type { SearchRun } from './search-figures.js';

const [WIDTH, HEIGHT] = [720, 400];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 30, 40, 50];
const [INNER_WIDTH, INNER_HEIGHT] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
const COLOURS = ['#1f6fb2', '#7a3fa0', '#c2511d', '#2c8a4b', '#8a7a1c'];
/** As many points of a curve as one can tell apart. */
const MAX_POINTS = 300;
const RADIX = 10;

/** An SVG of what share of the queries took at most how many messages, for each way to search. */
export function searchChart(runs: readonly SearchRun[]): string {
  const messages = runs.map(({ queries }) => queries.map((counts) => counts.messages).sort((a, b) => a - b));
  const decades = Math.max(1, Math.ceil(Math.log10(Math.max(RADIX, ...messages.map((all) => all.at(-1)!)))));
  const x = (count: number) => LEFT + (INNER_WIDTH * Math.log10(Math.max(1, count))) / decades;
  const y = (share: number) => TOP + INNER_HEIGHT * (1 - share);
  const { nodes, degree, replication, want, filters } = runs[0]!.scenario;
  const title =
    `${nodes} nodes, degree ${degree}, ${Number((100 * replication).toFixed(3))} % index the file, ${want} wanted` +
    (filters ? ', with filters' : '');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="14">${title}</text>`,
    `<path fill="none" stroke="black" d="M${LEFT} ${TOP}V${TOP + INNER_HEIGHT}H${LEFT + INNER_WIDTH}"/>`,
    ...[0, 0.25, 0.5, 0.75, 1].map(
      (share) => `<text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
    ),
    ...Array.from({ length: decades + 1 }, (_, power) => {
      const count = RADIX ** power;
      return `<text x="${x(count)}" y="${TOP + INNER_HEIGHT + 18}" text-anchor="middle">${count}</text>`;
    }),
    ...messages.map(
      (all, run) =>
        `<path fill="none" stroke="${COLOURS[run % COLOURS.length]}" stroke-width="2" d="${steps(all, x, y)}"/>`,
    ),
    `<text x="${LEFT}" y="${HEIGHT - 8}">messages of a query: ${runs
      .map(
        ({ scenario }, run) =>
          `<tspan fill="${COLOURS[run % COLOURS.length]}">${scenario.strategy.replace('-', ' ')}</tspan>`,
      )
      .join(', ')}</text>`,
    '</svg>\n',
  ].join('\n');
}

function steps(
  messages: readonly number[],
  x: (count: number) => number,
  y: (share: number) => number,
): string {
  const stride = Math.max(1, Math.ceil(messages.length / MAX_POINTS));
  let path = `M${x(messages[0] ?? 1).toFixed(1)} ${y(0).toFixed(1)}`;
  for (let at = stride - 1; at < messages.length + stride - 1; at += stride) {
    const last = Math.min(at, messages.length - 1);
    path += `H${x(messages[last]!).toFixed(1)}V${y((last + 1) / messages.length).toFixed(1)}`;
  }
  return path;
}
