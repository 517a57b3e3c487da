import { completions, type SwarmRun } from './figures.js';
import { lowerBoundMs } from './scenario.js';

const [WIDTH, HEIGHT] = [720, 400];
const [LEFT, RIGHT, TOP, BOTTOM] = [60, 20, 40, 50];
const [INNER_WIDTH, INNER_HEIGHT] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
/** As many points of a curve as one can tell apart. */
const MAX_POINTS = 500;
const TICKS = 5;

/** An SVG of what share of the peers was complete when, with the bound as a dashed line. */
export function completionChart(run: SwarmRun): string {
  const { contributors, freeRiders } = completions(run);
  const bound = lowerBoundMs(run.scenario);
  const end = 1.05 * Math.max(bound, contributors.at(-1) ?? 0, freeRiders.at(-1) ?? 0);
  const x = (ms: number) => LEFT + (INNER_WIDTH * ms) / end;
  const y = (share: number) => TOP + INNER_HEIGHT * (1 - share);
  const curve = (times: readonly number[], colour: string) =>
    times.length === 0
      ? []
      : [`<path fill="none" stroke="${colour}" stroke-width="2" d="${steps(times, x, y)}"/>`];
  const { peers, parts, seedRate, picker, choker } = run.scenario;
  const title = `${peers} peers, ${parts} parts, seed ${seedRate}x, ${picker}, ${choker}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="22" font-size="14">${title}</text>`,
    `<path fill="none" stroke="black" d="M${LEFT} ${TOP}V${TOP + INNER_HEIGHT}H${LEFT + INNER_WIDTH}"/>`,
    ...ticks().flatMap((share) => [
      `<text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${Math.round(share * 100)} %</text>`,
      `<text x="${x(share * end)}" y="${TOP + INNER_HEIGHT + 18}" text-anchor="middle">${Math.round((share * end) / 1e3)} s</text>`,
    ]),
    `<path stroke="gray" stroke-dasharray="4 4" d="M${x(bound).toFixed(1)} ${TOP}V${TOP + INNER_HEIGHT}"/>`,
    ...curve(contributors, '#1f6fb2'),
    ...curve(freeRiders, '#c2511d'),
    `<text x="${LEFT}" y="${HEIGHT - 8}">complete: <tspan fill="#1f6fb2">contributors</tspan>${
      freeRiders.length > 0 ? ', <tspan fill="#c2511d">free riders</tspan>' : ''
    }; dashed: no swarm is faster</text>`,
    '</svg>\n',
  ].join('\n');
}

function steps(times: readonly number[], x: (ms: number) => number, y: (share: number) => number): string {
  const stride = Math.max(1, Math.ceil(times.length / MAX_POINTS));
  let path = `M${x(0).toFixed(1)} ${y(0).toFixed(1)}`;
  for (let at = stride - 1; at < times.length + stride - 1; at += stride) {
    const last = Math.min(at, times.length - 1);
    path += `H${x(times[last]!).toFixed(1)}V${y((last + 1) / times.length).toFixed(1)}`;
  }
  return path;
}

function ticks(): number[] {
  return Array.from({ length: TICKS + 1 }, (_, tick) => tick / TICKS);
}
