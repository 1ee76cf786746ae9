// Waiting for what others do, with a deadline and without fixed pauses.

/** Calls `probe` until it returns something truthy, and returns that. What it throws counts as "not yet". */
export async function eventually(what, probe, timeoutMs = 60_000) {
  const deadline = Date.now() + timeoutMs;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs / 1000} s`, { cause: last });
    }
    await new Promise(resolve => setTimeout(resolve, 25));
  }
}
