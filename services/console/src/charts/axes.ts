/** How charts with axes look, all of them alike. They are for eyes: Recharts' own layer for the keyboard stays off. */
export const PLOT = { accessibilityLayer: false, margin: { top: 8, right: 8, bottom: 0, left: 0 } };

const TICK = { fill: 'var(--text-muted)', fontSize: 12 };

export const GRID = { vertical: false, stroke: 'var(--line)' };
export const X_AXIS = { tickLine: false, axisLine: { stroke: 'var(--line-strong)' }, tick: TICK, height: 24 };
export const Y_AXIS = { allowDecimals: false, tickLine: false, axisLine: false, tick: TICK, tickCount: 4 };
