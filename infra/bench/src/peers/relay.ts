import { connect } from '@nats-io/transport-node';
import { type WebSocket, WebSocketServer } from 'ws';
import { serve } from './serve.ts';

/**
 * The floor of a relay: every connection names a subject in its address, and gets each message on it as it is. Nothing
 * is checked, resumed, ordered or bounded.
 */
serve({
  async start({ natsUrl }: { natsUrl: string }) {
    const nc = await connect({ servers: natsUrl, name: 'bench-relay' });
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    server.on('connection', (ws: WebSocket, request) => {
      const subject = new URL(request.url ?? '', 'ws://relay').searchParams.get('subject') ?? '';
      const subscription = nc.subscribe(subject, {
        callback: (error, message) => {
          if (!error) ws.send(message.data, { binary: false });
        },
      });
      ws.on('close', () => subscription.unsubscribe());
      void nc.flush().then(() => ws.send('ready'));
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return { port: (server.address() as { port: number }).port };
  },
});
