import { z } from 'zod';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const milliseconds = (text: string): number => Number(text.slice(0, -1)) * UNITS[text.slice(-1) as keyof typeof UNITS];

/** A length of time as `15m`, in milliseconds. */
export const windowMs = ({ min = '1s', max }: { min?: string; max: string }) =>
  z
    .string()
    .regex(/^[1-9]\d{0,6}[smhd]$/, 'must be a number and s, m, h or d, as 15m')
    .transform(milliseconds)
    .refine((ms) => ms <= milliseconds(max), `must be at most ${max}`)
    .refine((ms) => ms >= milliseconds(min), `must be at least ${min}`);
