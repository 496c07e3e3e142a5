export type Message = { action: string; [key: string]: unknown };

interface ShownTool {
  name: unknown;
  badge: 'none' | 'starting' | 'complete';
  status: string;
  width: string;
  text: string;
}

/** What the strategy document's controller makes of the messages, without a browser: same cases, same arithmetic. */
export class PageModel {
  readonly tools: ShownTool[] = [];
  readonly stages: unknown[] = [];
  completed = 0;
  total = 0;
  lists = 0;
  summaries: Message[] = [];
  paused = false;

  receive(data: Message): void {
    const tool = this.tools[data.tool_index as number];
    switch (data.action) {
      case 'tool_execution_started':
        this.lists++;
        this.total = (data.tools as unknown[]).length;
        for (const { name } of data.tools as { name: unknown }[])
          this.tools.push({ name, badge: 'none', status: '', width: '0%', text: '' });
        return;
      case 'tool_status_update':
        if (!tool) return;
        if (data.status === 'starting') Object.assign(tool, { badge: 'starting', status: 'Starting...' });
        if (data.status !== 'complete') return;
        Object.assign(tool, { badge: 'complete', status: `Complete (${data.execution_time}s)` });
        this.completed++;
        return;
      case 'tool_progress_update':
        if (!tool) return;
        tool.width = `${data.progress}%`;
        tool.text = `${data.progress}% - ${data.message}`;
        return;
      case 'tool_execution_complete':
        this.summaries.push(data);
        return;
      case 'execution_paused':
        this.paused = true;
        return;
      case 'execution_resumed':
      case 'execution_cancelled':
        this.paused = false;
    }
  }
}

export function shown(messages: Iterable<Message>): PageModel {
  const page = new PageModel();
  for (const message of messages) page.receive(message);
  return page;
}
