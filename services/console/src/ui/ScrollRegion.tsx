import type { ComponentProps } from 'react';

export interface ScrollRegionProps extends Omit<ComponentProps<'section'>, 'aria-label' | 'role' | 'tabIndex'> {
  /** What scrolls, for screen readers. */
  readonly label: string;
  /** `false` where a page has many of them: it is a group then, and none of the page's landmarks. */
  readonly landmark?: boolean;
}

/** A part of the page that scrolls by itself. It takes the focus, so that it can be scrolled by keyboard; its size is the caller's. */
export function ScrollRegion({ label, landmark = true, ...props }: ScrollRegionProps) {
  return <section {...props} aria-label={label} role={landmark ? undefined : 'group'} tabIndex={0} />;
}
