import WebSocket, { type ClientOptions } from 'ws';
import { until } from '../harness.ts';

export type CableFrame = Record<string, unknown> & {
  type?: string;
  identifier?: string;
  message?: { action?: string };
};

/** A client that keeps every frame, in the order and the bytes in which it came. */
export class RawCable {
  readonly frames: CableFrame[] = [];
  readonly texts: string[] = [];
  closed: number | undefined;
  readonly ws: WebSocket;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      this.texts.push(data.toString());
      this.frames.push(JSON.parse(data.toString()) as CableFrame);
    });
    ws.on('close', (code) => {
      this.closed = code;
    });
    ws.on('error', () => {});
  }

  static async open(
    url: string,
    protocols = ['actioncable-v1-json', 'actioncable-unsupported'],
    options: ClientOptions = {},
  ): Promise<RawCable> {
    const ws = new WebSocket(url, protocols, options);
    const cable = new RawCable(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', () => resolve());
      ws.once('unexpected-response', (_request, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    });
    return cable;
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  of(type: string): CableFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  data(): CableFrame[] {
    return this.frames.filter((frame) => frame.type === undefined);
  }

  async next(type: string, count = 1): Promise<CableFrame> {
    await until(() => this.of(type).length >= count);
    return this.of(type)[count - 1]!;
  }

  async ended(): Promise<{ code: number; goodbye: CableFrame | undefined }> {
    await until(() => this.closed !== undefined);
    return { code: this.closed!, goodbye: this.of('disconnect')[0] };
  }
}
