// @vitest-environment jsdom
import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { RunProgress, ToolCallList } from '../src/index.ts';
import { Counted, livePage, RUN, Story } from './page.tsx';

const page = livePage();
const bar = () => screen.getByRole('progressbar', { name: 'Progress of the run' });

describe('<RunProgress>', () => {
  it('is a bar without a value while nobody knows, then one with what was measured', async () => {
    const story = new Story(page.edge, 2);
    page.show(<RunProgress runId={RUN} fallback={<p>Loading</p>} />);
    expect(screen.getByText('Loading')).toBeDefined();
    await waitFor(() => expect(bar().hasAttribute('value')).toBe(false));
    expect(bar().getAttribute('aria-valuetext')).toContain('0 of 2 calls done');
    story.progress(0, 50);
    await waitFor(() => expect(bar().getAttribute('value')).toBe('25'));
    story.succeed(0);
    await waitFor(() => expect(bar().getAttribute('value')).toBe('50'));
  });

  it('tells milestones politely, and failures at once', async () => {
    const story = new Story(page.edge, 2);
    page.show(<RunProgress runId={RUN} />);
    await waitFor(() => expect(screen.getByRole('status').textContent).toMatch(/^Running: 0 of 2 calls done/));
    expect(screen.getByRole('alert').textContent).toBe('');
    story.fail(1, 'Disk full.');
    await waitFor(() => expect(screen.getByRole('alert').textContent).toBe('Call 2, os-write, failed. Disk full.'));
    expect(screen.getByRole('status').textContent).toMatch(/^Running: 0 of 2 calls done/);
  });

  it('renders what it is given instead, with its class and status', async () => {
    new Story(page.edge, 1);
    const shown = page.show(
      <RunProgress runId={RUN} className="mine">
        {({ total }, run) => <b>{`${total} in ${run.app}`}</b>}
      </RunProgress>,
    );
    await screen.findByText('1 in app-1');
    expect(shown.container.querySelector('.mine')!.getAttribute('data-status')).toBe('running');
  });

  it('says why a run cannot be watched', async () => {
    page.show(<RunProgress runId={RUN} />);
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('cannot be watched: No such run'));
  });
});

describe('<ToolCallList>', () => {
  it('is a list of calls with their status, progress and output', async () => {
    const story = new Story(page.edge, 2);
    page.show(<ToolCallList runId={RUN} className="calls" itemClassName={({ status }) => `is-${status}`} output />);
    await waitFor(() => expect(screen.getAllByRole('listitem')).toHaveLength(2));
    expect(screen.getByRole('list', { name: 'Tool calls' }).className).toBe('calls');
    story.progress(0, 40, 'Half of it');
    story.output(0, 'a line\n');
    story.fail(1, 'Disk full.');
    const [first, second] = screen.getAllByRole('listitem');
    await waitFor(() => expect(second!.dataset.status).toBe('failed'));
    expect(second!.className).toBe('is-failed');
    expect(second!.textContent).toContain('Disk full.');
    const progress = within(first!).getByRole('progressbar', { name: 'Progress of os-write' });
    expect(progress.getAttribute('value')).toBe('40');
    expect(progress.getAttribute('aria-valuetext')).toBe('Half of it');
    expect(first!.querySelector('[data-part=output]')!.textContent).toBe('a line\n');
  });

  it('renders only the item whose call changed, and hands the controls to what is rendered instead', async () => {
    const story = new Story(page.edge, 3);
    const item = vi.fn((tool, controls) => (
      <button type="button" onClick={() => controls.cancelTool(tool.index)}>{`${tool.index} ${tool.measured}`}</button>
    ));
    page.show(
      <Counted count={() => {}}>
        <ToolCallList runId={RUN}>{item}</ToolCallList>
      </Counted>,
    );
    (await screen.findByText('1 undefined')).click();
    await waitFor(() =>
      expect(page.edge.frames('command')).toMatchObject([{ command: 'cancel_tool', args: { index: 1 } }]),
    );
    item.mockClear();
    story.progress(2, 40);
    await screen.findByText('2 40');
    expect(new Set(item.mock.calls.map(([{ index }]) => index))).toEqual(new Set([2]));
  });
});
