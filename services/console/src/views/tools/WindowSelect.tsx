import { Select } from '../../ui/index.ts';
import { toolsRoute } from './route.ts';
import { DEFAULT_WINDOW, type ToolsWindow, toolsSearch, WINDOWS } from './search.ts';

const OPTIONS = Object.entries(WINDOWS).map(([id, { label }]) => ({ id: id as ToolsWindow, label }));

/** The time that is looked at, in the address. */
export function WindowSelect() {
  const { window = DEFAULT_WINDOW } = toolsRoute.useSearch();
  const navigate = toolsRoute.useNavigate();
  return (
    <Select<ToolsWindow>
      label="Time"
      options={OPTIONS}
      value={window}
      onChange={(id) => void navigate({ search: (before) => toolsSearch({ ...before, window: id }), replace: true })}
    />
  );
}
