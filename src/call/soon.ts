/** What the caller gets now, or later where something has to be waited for. */
export type Soon<T> = T | Promise<T>;

/** What `next` makes of the value: now if it is here, else when it has come. */
export function whenReady<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
