/** Asks for a paint's worth of work: however often it is requested, it is done once, when the next frame comes. */
export interface Schedule {
  request(): void;
  stop(): void;
}

const FRAME_MS = 16;
/** Pages that nobody sees have no frames. They are kept up to date, slowly. */
const HIDDEN_MS = 250;

export function createSchedule(work: () => void, throttleMs = 0): Schedule {
  const framed = typeof requestAnimationFrame === 'function';
  let delay: ReturnType<typeof setTimeout> | undefined;
  let frame: number | undefined;
  let worked = Number.NEGATIVE_INFINITY;

  const stop = () => {
    if (delay !== undefined) clearTimeout(delay);
    if (frame !== undefined) cancelAnimationFrame(frame);
    delay = frame = undefined;
  };
  const run = () => {
    stop();
    worked = performance.now();
    work();
  };
  const await_ = () => {
    if (framed) frame = requestAnimationFrame(run);
    delay = setTimeout(run, framed ? HIDDEN_MS : FRAME_MS);
  };

  return {
    request() {
      if (delay !== undefined) return;
      const early = worked + throttleMs - performance.now();
      if (early > FRAME_MS) delay = setTimeout(await_, early - FRAME_MS);
      else await_();
    },
    stop,
  };
}
