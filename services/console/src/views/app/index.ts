export { AppView } from './AppView.tsx';
export { RunFiles, type RunFilesProps } from './files/RunFiles.tsx';
