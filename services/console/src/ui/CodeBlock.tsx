import styles from './CodeBlock.module.css';
import { CopyButton } from './CopyButton.tsx';
import { ScrollRegion } from './ScrollRegion.tsx';

export interface CodeBlockProps {
  /** What it is, for screen readers: “Arguments of os-write”. */
  readonly label: string;
  readonly text: string;
  readonly wrap?: boolean;
}

/** Text in the mono face, with a way to copy it. It scrolls by itself, also by keyboard. */
export function CodeBlock({ label, text, wrap = false }: CodeBlockProps) {
  return (
    <div className={styles.block}>
      <ScrollRegion label={label} className={styles.scroll}>
        <pre className={wrap ? styles.wrap : undefined}>
          <code>{text}</code>
        </pre>
      </ScrollRegion>
      <div className={styles.copy}>
        <CopyButton text={() => text} />
      </div>
    </div>
  );
}

/** Any JSON value, indented. */
export const asJson = (value: unknown): string => JSON.stringify(value, null, 2) ?? 'undefined';
