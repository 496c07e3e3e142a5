import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { IconButton } from './Button.tsx';

export interface CopyButtonProps {
  /** Its name, until it was pressed. */
  readonly label?: string;
  /** Asked for when it is pressed. */
  readonly text: () => string;
}

/** Copies a text. For two seconds its own name says how that went. */
export function CopyButton({ label = 'Copy', text }: CopyButtonProps) {
  const [copied, setCopied] = useState<'no' | 'yes' | 'refused'>('no');
  useEffect(() => {
    if (copied === 'no') return;
    const timer = setTimeout(() => setCopied('no'), 2_000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => setCopied('yes'),
      () => setCopied('refused'),
    );
  };
  return (
    <IconButton
      size="s"
      label={copied === 'yes' ? 'Copied' : copied === 'refused' ? 'The browser refused to copy' : label}
      icon={copied === 'yes' ? <Check /> : <Copy />}
      onPress={copy}
    />
  );
}
