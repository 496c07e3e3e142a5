/// <reference lib="dom" />

/** What a page saw since it was last asked. */
export interface Seen {
  /** Milliseconds from the arrival of an event in the page to the end of the frame that first showed it, or a later one. */
  readonly paints: readonly number[];
  /** The same from the time that is written in the event. */
  readonly sincePublished: readonly number[];
  /** Events that arrived, whether or not their call is in view. */
  readonly arrived: number;
  /** Milliseconds from each frame to the next. */
  readonly frames: readonly number[];
}

declare global {
  interface Window {
    toolstreamSeen?: () => Seen;
  }
}

/**
 * Runs in the page, before its own scripts: listens to its sockets, sees which progress its rows show, and when the frame that
 * shows it is done. Evaluated there as text: it may use nothing from outside itself.
 */
export function probe(): void {
  interface Arrival {
    readonly step: number;
    readonly at: number;
    readonly time: number;
  }
  const waiting = new Map<number, Arrival[]>();
  let shown = new Map<number, number>();
  let paints: number[] = [];
  let sincePublished: number[] = [];
  let frames: number[] = [];
  let arrived = 0;
  let inFrame = false;
  let lastFrame: number | undefined;
  let painting = false;

  const listen = (data: unknown): void => {
    const at = performance.now();
    const text = String(data);
    const step = /"message":"Writing file (\d+) of/.exec(text)?.[1];
    const tool = /"toolindex":(\d+)/.exec(text)?.[1];
    if (step === undefined || tool === undefined) return;
    arrived++;
    const index = Number(tool);
    // A call that is out of view is not waited for.
    if (!document.querySelector(`li[data-index="${index}"]`)) {
      waiting.delete(index);
      return;
    }
    const list = waiting.get(index) ?? [];
    waiting.set(index, list);
    list.push({ step: Number(step), at, time: Date.parse(/"time":"([^"]+)"/.exec(text)?.[1] ?? '') });
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => listen(data));
    }
  };

  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) =>
    request((time) => {
      inFrame = true;
      // Microtasks of this frame, in which mutations are told, come before the next task.
      setTimeout(() => {
        inFrame = false;
      });
      work(time);
    });
  const everyFrame = (time: number): void => {
    if (lastFrame !== undefined) frames.push(time - lastFrame);
    lastFrame = time;
    request(everyFrame);
  };
  request(everyFrame);

  const painted = (): void => {
    painting = false;
    const now = performance.now();
    const wall = Date.now();
    for (const [index, step] of shown) {
      const list = waiting.get(index);
      while (list?.[0] && list[0].step <= step) {
        const { at, time } = list.shift()!;
        paints.push(now - at);
        sincePublished.push(wall - time);
      }
    }
    shown = new Map();
  };
  /** The task after a frame's own work runs when the frame has been laid out and painted. */
  const afterPaint = (): void => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      channel.port1.close();
      painted();
    };
    channel.port2.postMessage(undefined);
  };
  const observer = new MutationObserver((mutations) => {
    for (const { target } of mutations) {
      const element = target instanceof Element ? target : target.parentElement;
      const row = element?.closest('li[data-index]');
      const step = row && /Writing file (\d+) of/.exec(row.textContent ?? '')?.[1];
      if (row && step) shown.set(Number(row.getAttribute('data-index')), Number(step));
    }
    if (shown.size === 0 || painting) return;
    painting = true;
    if (inFrame) afterPaint();
    else request(afterPaint);
  });
  observer.observe(document, { subtree: true, childList: true, characterData: true });

  window.toolstreamSeen = () => {
    const seen = { paints, sincePublished, arrived, frames };
    paints = [];
    sincePublished = [];
    frames = [];
    arrived = 0;
    // What is not shown by now never will be: a row may say something else than its call's progress.
    waiting.clear();
    return seen;
  };
}
