import type { ComponentPropsWithRef } from 'react';

export interface ScrollRegionProps extends Omit<ComponentPropsWithRef<'section'>, 'aria-label' | 'role' | 'tabIndex'> {
  /** What it holds, for screen readers: “Arguments of os-write”. */
  readonly label: string;
  /** Screen readers list it among the parts of the page. A page that has a dozen of them says no. */
  readonly landmark?: boolean;
}

/** What scrolls by itself, also by keyboard. How large it gets is its class's. */
export function ScrollRegion({ label, landmark = true, ...props }: ScrollRegionProps) {
  return <section {...props} aria-label={label} role={landmark ? undefined : 'group'} tabIndex={0} />;
}
