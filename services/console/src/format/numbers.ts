const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** `12,345` */
export const count = (n: number): string => integer.format(n);

/** `1 file`, `3 files` */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `512 B`, `14.2 kB`: in thousands. */
export function bytes(n: number): string {
  if (!Number.isFinite(n) || n < 0) return '–';
  let value = n;
  let unit = 0;
  // 999.95 would be printed as 1,000.
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${oneDecimal.format(value)} ${UNITS[unit]}`;
}

/** Of a share between 0 and 1: `98.5 %`. What is not all never reads as 100 %, what is not nothing never as 0 %. */
export function share(ratio: number): string {
  if (!Number.isFinite(ratio)) return '–';
  const percent = ratio * 100;
  const rounded = Math.round(percent * 10) / 10;
  const honest = rounded >= 100 && percent < 100 ? 99.9 : rounded <= 0 && percent > 0 ? 0.1 : rounded;
  return `${oneDecimal.format(honest)} %`;
}

/** Of a measured progress between 0 and 100: whole, and never 100 before it is. */
export const percent = (value: number): string => `${Math.floor(Math.min(100, Math.max(0, value)))} %`;
