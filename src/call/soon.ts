/** What the caller gets now, or later where something has to be waited for. */
export type Soon<T> = T | Promise<T>;

/** What `next` makes of the value: now if it is here, else when it has come. */
export function whenReady<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** What `work` makes of each item, one after the other: now where nothing has to be waited for. */
export function eachSoon<T, R>(items: readonly T[], work: (item: T) => Soon<R>): Soon<R[]> {
  const results: R[] = [];
  const goOn = (): Soon<R[]> => {
    while (results.length < items.length) {
      const result = work(items[results.length] as T);
      if (result instanceof Promise) {
        return result.then((value) => {
          results.push(value);
          return goOn();
        });
      }
      results.push(result);
    }
    return results;
  };
  return goOn();
}
