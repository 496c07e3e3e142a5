const RUN = {
  accepted: 'Waiting to begin',
  running: 'Running',
  paused: 'Paused',
  cancelling: 'Being cancelled',
  succeeded: 'Done',
  failed: 'Done, not everything succeeded',
  cancelled: 'Cancelled',
};
const TOOL = {
  pending: 'Waits for its turn',
  queued: 'Queued',
  running: 'Running',
  starting: 'Running',
  retrying: 'Will be tried again',
  awaiting_approval: 'Waits for you',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
  denied: 'Denied',
};

export const runWord = (status) => RUN[status] ?? status;
export const toolWord = (status) => TOOL[status] ?? status;
export const seconds = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
export const count = (number, one) => `${number} ${one}${number === 1 ? '' : 's'}`;
const shown = (value) => {
  if (Array.isArray(value)) return value.map(shown).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : value;
};
export const detailsText = (details = {}) =>
  Object.entries(details)
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${shown(value)}`)
    .join(' · ');
export const inShort = ({ successful, total, duration_ms, files_created, lines_written }) =>
  `${successful} of ${count(total, 'tool')} succeeded in ${seconds(duration_ms)}, ` +
  `${count(files_created, 'file')} created, ${count(lines_written, 'line')} written`;

/** Only what differs is written, so that what is read aloud is read once. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
