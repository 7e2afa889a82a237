/** Keys that are remembered at least; at twice as many the older half is forgotten. */
const REMEMBERED = 2_000;

/** How far the changes of a store have come. */
export interface Moment {
  readonly of: Changes;
  readonly at: number;
  /** Differs where somebody else has changed the same data. */
  readonly others: number;
}

/** What names a key among all scopes. */
export function idOf(scope: string, key: string): string {
  return `${scope}\0${key}`;
}

/** Whether nothing has changed in between. */
export function sameMoment(a: Moment, b: Moment): boolean {
  return a.of === b.of && a.at === b.at && a.others === b.others;
}

/** The keys that a store has changed lately, so that who has read others need not look at them again. */
export class Changes {
  #ids: string[] = [];
  #forgotten = 0;

  note(scope: string, key: string): void {
    this.#ids.push(idOf(scope, key));
    if (this.#ids.length < 2 * REMEMBERED) return;
    this.#ids = this.#ids.slice(REMEMBERED);
    this.#forgotten += REMEMBERED;
  }

  /** Any key may have changed. */
  noteAll(): void {
    this.#forgotten += this.#ids.length + 1;
    this.#ids = [];
  }

  moment(others: number): Moment {
    return { of: this, at: this.#forgotten + this.#ids.length, others };
  }

  since({ of, at, others }: Moment, othersNow: number): readonly string[] | undefined {
    return of === this && others === othersNow && at >= this.#forgotten ? this.#ids.slice(at - this.#forgotten) : undefined;
  }
}
