/** The time that is looked at: kept in the address. */
export interface DeliverySearch {
  readonly window?: DeliveryWindow;
}

export const DELIVERY_WINDOWS = { '5m': 'Last 5 minutes', '15m': 'Last 15 minutes', '1h': 'Last hour' } as const;
export type DeliveryWindow = keyof typeof DELIVERY_WINDOWS;
export const DEFAULT_DELIVERY_WINDOW: DeliveryWindow = '15m';

export function deliverySearch({ window }: Record<string, unknown>): DeliverySearch {
  return typeof window === 'string' && Object.hasOwn(DELIVERY_WINDOWS, window) && window !== DEFAULT_DELIVERY_WINDOW
    ? { window: window as DeliveryWindow }
    : {};
}
