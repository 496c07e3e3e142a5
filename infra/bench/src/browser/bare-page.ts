import { SUBPROTOCOL } from '@toolstream/proto-events';

/**
 * The least that shows the same: one row for each call, its text and its bar set once per frame, straight from the edge's frames;
 * no framework, no fold, no style, no repair of what is missing.
 */
export const barePage = (socketUrl: string, run: string, token: string): string => `<!doctype html><title>Bare</title>
<style>li { height: 72px }</style><ol></ol><script>
  const rows = [];
  let changed = new Map();
  const draw = () => {
    for (const [index, { message, progress }] of changed) {
      rows[index].words.textContent = message;
      rows[index].bar.value = progress;
    }
    changed = new Map();
  };
  const begin = ({ tools }) => {
    for (const { index, name } of tools) {
      const row = document.createElement('li');
      row.dataset.index = index;
      const words = document.createElement('span');
      const bar = document.createElement('progress');
      bar.max = 100;
      row.append(name + ' ', words, bar);
      document.querySelector('ol').append(row);
      rows.push({ words, bar });
    }
  };
  const socket = new WebSocket(${JSON.stringify(socketUrl)}, ${JSON.stringify(SUBPROTOCOL)});
  const send = (frame) => socket.send(JSON.stringify(frame));
  socket.onopen = () => send({ type: 'hello', token: ${JSON.stringify(token)}, subscribe: [{ run: ${JSON.stringify(run)} }] });
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === 'ping') send({ type: 'pong', positions: {} });
    if (frame.type === 'snapshot' && rows.length === 0) begin(frame.state);
    if (frame.type !== 'event' || frame.event.type !== 'tool.progressed.v1') return;
    if (changed.size === 0) requestAnimationFrame(draw);
    changed.set(frame.event.toolindex, frame.event.data);
  };
</script>`;
