import { ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Button, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import type { RunFile } from '../model/changes.ts';
import styles from './Changes.module.css';
import { changeLook } from './changes-look.ts';

export interface ChangeItemProps {
  readonly change: RunFile['change'];
  readonly path: ReactNode;
  readonly facts: ReactNode;
  readonly level: 2 | 3 | 4;
  readonly children: ReactNode;
}

/** A change that opens. What is inside is made, and fetched, when it is opened first. */
export function ChangeItem({ change, path, facts, level, children }: ChangeItemProps) {
  const [open, setOpen] = useState(false);
  const { word, Icon, tone } = changeLook[change];
  return (
    <Disclosure className={styles.item ?? ''} isExpanded={open} onExpandedChange={setOpen}>
      <Heading level={level} className={styles.heading ?? ''}>
        <Button slot="trigger" className={styles.trigger ?? ''}>
          <ChevronRight aria-hidden className={styles.chevron} />
          <span className={`${styles.change} ${styles[tone]}`}>
            <Icon aria-hidden />
            {word}
          </span>
          <span className={styles.path}>{path}</span>
          <span className={styles.facts}>{facts}</span>
        </Button>
      </Heading>
      <DisclosurePanel>
        {open && (
          <div className={styles.panel} data-open>
            {children}
          </div>
        )}
      </DisclosurePanel>
    </Disclosure>
  );
}
