import { Activity, type LucideIcon, Plus, Truck, Wrench } from 'lucide-react';

export interface Place {
  readonly to: '/' | '/tools' | '/delivery' | '/new';
  readonly label: string;
  readonly Icon: LucideIcon;
  /** Pressed after `g`. */
  readonly key: string;
}

/** Where the navigation leads. */
export const PLACES: readonly Place[] = [
  { to: '/', label: 'Runs', Icon: Activity, key: 'r' },
  { to: '/tools', label: 'Tools', Icon: Wrench, key: 't' },
  { to: '/delivery', label: 'Delivery', Icon: Truck, key: 'd' },
  { to: '/new', label: 'New run', Icon: Plus, key: 'n' },
];
