/** Engine references that host objects hold: freed by the instance some time after the host object is gone. */
export interface RefOwner {
  /** References whose host objects are gone; the instance frees them when it is safe. */
  readonly dropped: number[];
}

/** A value of the script that the host keeps: a function, or something that was thrown. */
export class ScriptRef {
  readonly owner: RefOwner;
  readonly ref: number;
  #released = false;

  constructor(owner: RefOwner, ref: number) {
    this.owner = owner;
    this.ref = ref;
    registry.register(this, { dropped: owner.dropped, ref }, this);
  }

  /** Frees it now; using it afterwards is an error. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    registry.unregister(this);
    this.owner.dropped.push(this.ref);
  }

  get released(): boolean {
    return this.#released;
  }
}

const registry = new FinalizationRegistry<{ dropped: number[]; ref: number }>(({ dropped, ref }) => dropped.push(ref));
