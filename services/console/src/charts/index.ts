export { BarsChart } from './BarsChart.tsx';
export { ChartFrame } from './ChartFrame.tsx';
export { Figure, Figures } from './Figure.tsx';
export { type FiguresColumn, FiguresTable } from './FiguresTable.tsx';
export { Live, type LiveState, useLive } from './Live.tsx';
export { fineDuration, orDash } from './measures.ts';
export { Sparkline } from './Sparkline.tsx';
export type { Series } from './TimeChart.tsx';
export { TimeFigures } from './TimeFigures.tsx';
