const STEPS = [1, 2, 2.5, 5, 10];

export interface Axis {
  readonly top: number;
  /** From 0 to `top`. */
  readonly ticks: readonly number[];
}

/** From 0 to `max` where there is one, else to a round value over `highest`, in about `count` steps. */
export function valueAxis(unit: string, highest: number, max: number | undefined, count: number): Axis {
  const whole = max ?? (highest > 0 ? highest * 1.05 : 1);
  const power = unit === 'bytes' ? 1024 ** Math.floor(Math.log2(whole) / 10) : 1;
  const step = roundStep(whole / power / count) * power;
  const steps = Math.ceil(whole / step - 1e-9);
  return { top: max ?? steps * step, ticks: Array.from({ length: steps + 1 }, (_, i) => i * step) };
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return STEPS.map((step) => step * power).find((step) => step >= least - power * 1e-9)!;
}
