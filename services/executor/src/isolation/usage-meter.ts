import { readFileSync, writeFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import type { Usage } from './runner.ts';

/** Measures one call from inside its thread or process. */
export interface UsageMeter {
  /** Processor time at the call's start, in milliseconds: what the executor's own samples are compared with. */
  readonly cpuMsAtStart: number;
  /** Looks at the memory, where that must be done now and then. */
  sample(): void;
  usage(): Usage;
}

const milliseconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1000;

/** A thread has its own heap and its own clock; its buffers lie outside the heap and count all the same. */
export function meterThread(): UsageMeter {
  const cpuMsAtStart = milliseconds(process.threadCpuUsage());
  let peak = 0;
  const sample = () => {
    const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
    peak = Math.max(peak, heap + external);
  };
  sample();
  return {
    cpuMsAtStart,
    sample,
    usage() {
      sample();
      return { memoryPeakBytes: peak, cpuMs: milliseconds(process.threadCpuUsage()) - cpuMsAtStart };
    },
  };
}

/** A process serves one call at a time, so all of it is the call's. */
export function meterProcess(): UsageMeter {
  const cpuMsAtStart = milliseconds(process.cpuUsage());
  const highWater = resetHighWater();
  let peak = 0;
  const sample = () => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  sample();
  return {
    cpuMsAtStart,
    sample,
    usage() {
      sample();
      const memoryPeakBytes = (highWater ? highWaterBytes() : undefined) ?? peak;
      return { memoryPeakBytes, cpuMs: milliseconds(process.cpuUsage()) - cpuMsAtStart };
    },
  };
}

/** Linux keeps the most that a process ever held; a call wants to know of itself only. False where that cannot be reset. */
function resetHighWater(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function highWaterBytes(): number | undefined {
  try {
    return kilobytes(readFileSync('/proc/self/status', 'latin1'), 'VmHWM');
  } catch {
    return undefined;
  }
}

function kilobytes(status: string, field: string): number | undefined {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(status)?.[1];
  return found === undefined ? undefined : Number(found) * 1024;
}

/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux that Node runs on. */
const TICK_MS = 10;

/**
 * What a process has used, seen from outside: it may be computing and answer nothing. `undefined` where there is no /proc
 * or the process has ended. `cpuMs` is of its whole life.
 */
export function usageOfProcess(pid: number): Usage | undefined {
  try {
    const memoryPeakBytes = kilobytes(readFileSync(`/proc/${pid}/status`, 'latin1'), 'VmHWM');
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    return memoryPeakBytes === undefined ? undefined : { memoryPeakBytes, cpuMs };
  } catch {
    return undefined;
  }
}
