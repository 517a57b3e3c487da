/** Values as Grafana writes them: three digits, in the unit's own steps. */

interface Scale {
  readonly base: number;
  /** What stands behind a value of each power of the base. */
  readonly steps: readonly string[];
}

const COUNT: Scale = { base: 1000, steps: ['', ' K', ' Mil', ' Bil'] };
const SI = ['', 'k', 'M', 'G', 'T'];

const per = (unit: string): Scale => ({ base: 1000, steps: COUNT.steps.map((step) => `${step} ${unit}`) });

const SCALES: Readonly<Record<string, Scale>> = {
  short: COUNT,
  Bps: { base: 1000, steps: SI.map((prefix) => ` ${prefix}B/s`) },
  decbytes: { base: 1000, steps: SI.map((prefix) => ` ${prefix}B`) },
  bytes: { base: 1024, steps: [' B', ' KiB', ' MiB', ' GiB', ' TiB'] },
  reqps: per('req/s'),
  ops: per('ops/s'),
  mps: per('msg/s'),
  eps: per('evt/s'),
};

const SECONDS = [
  { from: 86_400, unit: 'days' },
  { from: 3_600, unit: 'hours' },
  { from: 60, unit: 'mins' },
  { from: 1, unit: 's' },
  { from: 1e-3, unit: 'ms' },
  { from: 1e-6, unit: 'µs' },
];
const SUFFIX = 'suffix:';

/** `value` in one of Grafana's units; throws when the drawing does not know the unit. */
export function inUnit(unit: string, value: number): string {
  if (unit === 'percentunit') return `${digits(value * 100)}%`;
  if (unit === 'bool_yes_no') return value === 0 ? 'No' : 'Yes';
  if (unit === 's') return inSeconds(value);
  if (unit.startsWith(SUFFIX)) return `${digits(value)} ${unit.slice(SUFFIX.length)}`;
  const scale = SCALES[unit];
  if (scale === undefined) throw new Error(`no such unit: ${unit}`);
  const { base, steps } = scale;
  const power = value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(base) + 1e-9);
  const step = Math.min(Math.max(power, 0), steps.length - 1);
  return `${digits(value / base ** step)}${steps[step]}`;
}

function inSeconds(value: number): string {
  if (value === 0) return '0 s';
  const { from, unit } = SECONDS.find((each) => Math.abs(value) >= each.from) ?? SECONDS.at(-1)!;
  return `${digits(value / from)} ${unit}`;
}

function digits(value: number): string {
  return `${Number(Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3))}`;
}
