import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { IconButton } from './Button.tsx';
import styles from './CodeBlock.module.css';

export interface CodeBlockProps {
  /** What it is, for screen readers: “Arguments of os-write”. */
  readonly label: string;
  readonly text: string;
  readonly wrap?: boolean;
}

/** Text in the mono face, with a way to copy it. It scrolls by itself, also by keyboard. */
export function CodeBlock({ label, text, wrap = false }: CodeBlockProps) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  useEffect(() => {
    if (copied === 'no') return;
    const timer = setTimeout(() => setCopied('no'), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  return (
    <div className={styles.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <section aria-label={label} tabIndex={0} className={styles.scroll}>
        <pre className={wrap ? styles.wrap : undefined}>
          <code>{text}</code>
        </pre>
      </section>
      <div className={styles.copy}>
        <IconButton
          size="s"
          label={copied === 'yes' ? 'Copied' : copied === 'refused' ? 'The browser refused to copy' : 'Copy'}
          icon={copied === 'yes' ? <Check /> : <Copy />}
          onPress={copy}
        />
      </div>
    </div>
  );
}

/** Any JSON value, indented. */
export const asJson = (value: unknown): string => JSON.stringify(value, null, 2) ?? 'undefined';
