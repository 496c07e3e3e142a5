export { NewRunView } from './NewRunView.tsx';
