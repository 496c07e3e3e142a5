import type { SubmitRequest } from '@toolstream/client';
import type { WireCall } from '@toolstream/proto-events';
import { daysJson } from './days.ts';
import { INDEX_HTML, STYLES_CSS } from './page.ts';
import { APP_JS, CALENDAR_JS, DAYS_JS, README_MD, STORE_JS } from './scripts.ts';

const write = (id: string, file_path: string, content: string, ...depends_on: string[]): WireCall => ({
  id,
  name: 'os-write',
  arguments: { file_path, content },
  depends_on,
});

/** Replaces the one line that has this text. */
function replaceLine(
  id: string,
  file_path: string,
  content: string,
  has: string,
  replace: string,
  ...depends_on: string[]
): WireCall {
  const lines = content.split('\n');
  const at = lines.findIndex((line) => line.includes(has));
  if (at < 0) throw new Error(`${file_path} has no line with ${has}`);
  return {
    id,
    name: 'os-line-replace',
    arguments: { file_path, search: lines[at]!, first_replaced_line: at + 1, last_replaced_line: at + 1, replace },
    depends_on,
  };
}

/** What an agent does in one turn to build a small web app: files that build on each other, then two corrections. */
export function sampleRun(app: string): SubmitRequest {
  return {
    app,
    tool_calls: [
      write('page', 'index.html', INDEX_HTML),
      write('styles', 'styles.css', STYLES_CSS),
      write('store', 'src/store.js', STORE_JS),
      write('data', 'data/days.json', daysJson(2024, 10)),
      write('days', 'src/days.js', DAYS_JS, 'data'),
      write('calendar', 'src/calendar.js', CALENDAR_JS, 'days', 'store'),
      write('app', 'src/app.js', APP_JS, 'calendar'),
      replaceLine('week-start', 'src/days.js', DAYS_JS, 'const WEEK_START', 'const WEEK_START = 1;', 'days'),
      replaceLine(
        'link-scripts',
        'index.html',
        INDEX_HTML,
        '<!-- scripts -->',
        '    <script type="module" src="src/app.js"></script>',
        'page',
        'app',
      ),
      write('readme', 'README.md', README_MD, 'link-scripts', 'week-start'),
    ],
  };
}
