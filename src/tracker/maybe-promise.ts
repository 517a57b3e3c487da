/** A value now or later: a store in memory answers at once, so that its requests cost no promise. */
export type MaybePromise<T> = T | Promise<T>;

/** `next(value)` as soon as the value is there: in the same turn when it is there already. */
export function whenReady<T, R>(value: MaybePromise<T>, next: (value: T) => R): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
