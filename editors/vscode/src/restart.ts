// When a crashed backend is started again, and how requests to restart it are merged.

/** A start is refused after `limit` crashes within `windowMs`: a backend that dies at once must not spin. */
export class RestartPolicy {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #now: () => number;
  #crashes: number[] = [];

  constructor(limit = 4, windowMs = 3 * 60 * 1000, now: () => number = Date.now) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#now = now;
  }

  /** Counts a crash and says whether the backend may be started again. */
  crashed(): boolean {
    const now = this.#now();
    this.#crashes = this.#crashes.filter(at => now - at < this.#windowMs);
    this.#crashes.push(now);
    return this.#crashes.length <= this.#limit;
  }

  /** Forgets all crashes: the user asked for a start. */
  reset(): void {
    this.#crashes = [];
  }
}

/**
 * Returns a function that runs `action` once at a time. Calls during a run share one more run after it: whatever changed
 * meanwhile is seen by that one.
 */
export function coalesce(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;

  const run = (): Promise<void> => {
    const current = action().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };

  return () => {
    if (running === undefined) return run();
    queued ??= running
      .catch(() => {}) // its own caller hears of it
      .then(() => {
        queued = undefined;
        return run();
      });
    return queued;
  };
}
