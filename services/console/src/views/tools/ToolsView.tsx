import { ToolList } from './list/ToolList.tsx';
import { toolsRoute } from './route.ts';
import { ToolPage } from './tool/ToolPage.tsx';

/** The list, or the tool that the address names. */
export function ToolsView() {
  const { tool } = toolsRoute.useSearch();
  return tool === undefined ? <ToolList /> : <ToolPage key={tool} name={tool} />;
}
