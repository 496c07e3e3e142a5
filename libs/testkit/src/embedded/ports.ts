import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { processFacts } from './processes.ts';

/** A port that something must be able to listen on. */
export interface PortWish {
  port: number;
  /** Who wants it, as the message names it: "edge-1". */
  what: string;
  /** What the reader can do about it: "set PORT to another port". */
  remedy?: string;
}

export interface PortConflict extends PortWish {
  holder?: { pid: number; command: string };
}

export class PortInUse extends Error {
  readonly code = 'port_in_use';
  readonly conflicts: readonly PortConflict[];

  constructor(conflicts: PortConflict[]) {
    super(conflicts.map(describe).join('\n'));
    this.name = 'PortInUse';
    this.conflicts = conflicts;
  }
}

function describe({ port, what, remedy, holder }: PortConflict): string {
  const by = holder ? `process ${holder.pid} (${holder.command.slice(0, 120)})` : 'another process';
  const todo = remedy ? `${remedy}, or end that process` : 'end that process or choose another port';
  return `port_in_use: port ${port}, wanted by ${what}, is held by ${by}: ${todo}.`;
}

export function assertPortFree(port: number, what: string, remedy?: string): Promise<void> {
  return assertPortsFree([{ port, what, ...(remedy ? { remedy } : {}) }]);
}

/** Looks at all of them before it complains about any, so that the reader fixes everything in one go. */
export async function assertPortsFree(wishes: PortWish[]): Promise<void> {
  const conflicts: PortConflict[] = [];
  for (const wish of wishes) {
    if (await isFree(wish.port)) continue;
    const holder = portHolder(wish.port);
    conflicts.push({ ...wish, ...(holder ? { holder } : {}) });
  }
  if (conflicts.length > 0) throw new PortInUse(conflicts);
}

/**
 * A port that is free now and lies outside the range that the system hands to outgoing connections. Inside that range a client
 * that reconnects to a server that is down can be given the server's own port, connect to itself, and keep the server from
 * coming back.
 */
export async function freePort(): Promise<number> {
  const [low, high] = quietRange();
  for (let tries = 0; tries < 100; tries++) {
    const port = low + Math.floor(Math.random() * (high - low));
    if (await isFree(port)) return port;
  }
  throw new Error(`no_free_port: 100 ports between ${low} and ${high} were all taken; end what holds them.`);
}

function quietRange(): [number, number] {
  try {
    const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
    if (first > 12_000) return [10_000, first];
    if (last < 60_000) return [last + 1, 65_500];
    return [20_000, 32_000];
  } catch {
    // The IANA range for outgoing connections (macOS, BSD) starts at 49152.
    return [10_000, 32_000];
  }
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.unref();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(new Error(`port_unusable: cannot listen on port ${port}: ${error.message}`, { cause: error }));
    });
    // Without a host: the wildcard address conflicts with a listener on any address.
    probe.listen({ port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Who listens on a port, as far as /proc tells this user. */
export function portHolder(port: number): { pid: number; command: string } | undefined {
  if (process.platform !== 'linux') return undefined;
  const socket = listeningSocket(port);
  if (!socket) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!holdsSocket(pid, socket)) continue;
    const facts = processFacts(Number(pid));
    if (facts) return { pid: facts.pid, command: facts.command };
  }
  return undefined;
}

function listeningSocket(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    try {
      const rows = readFileSync(table, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/));
      const inode = rows.find((columns) => columns[1]?.endsWith(suffix) && columns[3] === '0A')?.[9];
      if (inode) return `socket:[${inode}]`;
    } catch {
      // No such table (IPv6 switched off).
    }
  }
  return undefined;
}

function holdsSocket(pid: string, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === socket;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
