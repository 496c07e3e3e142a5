import { memo, type ReactNode } from 'react';
import type { RunControls } from './commands.ts';
import { useRunControls, useRunSelector, useToolCall } from './hooks.ts';
import { percentOf } from './progress.ts';
import type { ToolState } from './types.ts';
import { TOOL_WORDS, toolText } from './words.ts';

export interface ToolCallListProps {
  readonly runId: string | undefined;
  readonly className?: string | undefined;
  readonly itemClassName?: string | ((tool: ToolState) => string) | undefined;
  /** The list's name; default: `Tool calls`. */
  readonly label?: string | undefined;
  /** With the last of what a call has put out. */
  readonly output?: boolean | undefined;
  /** What stands in an item for what is there by default. Keep it the same function where you can. */
  readonly children?: ((tool: ToolState, controls: RunControls) => ReactNode) | undefined;
}

/**
 * A run's calls, in order. Each item is rendered only when its own call changed. Brings no style: `data-part`, `data-status` and
 * `data-tool` are there to be styled.
 */
export function ToolCallList({ runId, className, label = 'Tool calls', ...item }: ToolCallListProps): ReactNode {
  const count = useRunSelector(runId, ({ run }) => run?.tools.length ?? 0);
  return (
    <ol className={className} data-toolstream="tool-calls" aria-label={label}>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a call's index is its identity
        <Item key={index} runId={runId} index={index} {...item} />
      ))}
    </ol>
  );
}

type ItemProps = Omit<ToolCallListProps, 'className' | 'label'> & { readonly index: number };

const Item = memo(function Item({ runId, index, itemClassName, output, children }: ItemProps): ReactNode {
  const tool = useToolCall(runId, index);
  const controls = useRunControls(runId);
  if (!tool) return null;
  const className = typeof itemClassName === 'function' ? itemClassName(tool) : itemClassName;
  return (
    <li className={className} data-status={tool.status} data-tool={tool.name} data-attempt={tool.attempt}>
      {children ? children(tool, controls) : <Call tool={tool} output={output ?? false} />}
    </li>
  );
});

function Call({ tool, output }: { readonly tool: ToolState; readonly output: boolean }): ReactNode {
  const percent = percentOf(tool);
  const text = toolText(tool);
  return (
    <>
      <span data-part="name">{tool.name}</span> <span data-part="status">{TOOL_WORDS[tool.status]}</span>
      {tool.status === 'running' && (
        <progress
          data-part="bar"
          aria-label={`Progress of ${tool.name}`}
          aria-valuetext={text || TOOL_WORDS.running}
          max={100}
          {...(percent === undefined ? {} : { value: percent })}
        />
      )}
      {text && <span data-part="text">{text}</span>}
      {output && tool.output && <pre data-part="output">{tool.output.map((part) => part.text).join('')}</pre>}
    </>
  );
}
