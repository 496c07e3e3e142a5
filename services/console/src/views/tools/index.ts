export { ToolsView } from './ToolsView.tsx';
