import type { Json } from '@toolstream/proto-events';
import { ChevronRight } from 'lucide-react';
import { memo, useState } from 'react';
import { count, counted } from '../../../format/index.ts';
import { asJson, CopyButton, ScrollRegion } from '../../../ui/index.ts';
import { isReference } from '../model/references.ts';
import styles from './JsonView.module.css';
import { Reference } from './Reference.tsx';

interface JsonViewProps {
  /** Of the run, whose artifacts may be referred to. */
  readonly id: string;
  /** What it is, for screen readers: “Arguments of os-write”. */
  readonly label: string;
  readonly value: Json;
}

/** Any JSON value, to be opened and closed part by part. However large it is, little of it is rendered at a time. */
export const JsonView = memo(function JsonView({ id, label, value }: JsonViewProps) {
  return (
    <div className={styles.view}>
      <ScrollRegion label={label} className={styles.scroll}>
        <Part id={id} value={value} depth={0} />
      </ScrollRegion>
      {!isReference(value) && (
        <div className={styles.copy}>
          <CopyButton label="Copy as JSON" text={() => asJson(value)} />
        </div>
      )}
    </div>
  );
});

interface PartProps {
  readonly id: string;
  readonly value: Json;
  readonly depth: number;
  readonly name?: string;
}

function Part({ id, value, depth, name }: PartProps) {
  if (value !== null && typeof value === 'object') {
    if (isReference(value)) {
      const show = (content: Json) => <JsonView id={id} label="Content" value={content} />;
      return <Labelled name={name}>{<Reference id={id} reference={value} show={show} />}</Labelled>;
    }
    return <Collection id={id} value={value} depth={depth} {...(name === undefined ? {} : { name })} />;
  }
  return (
    <Labelled name={name}>
      {typeof value === 'string' ? <Text text={value} /> : <code className={styles.plain}>{String(value)}</code>}
    </Labelled>
  );
}

function Labelled({ name, children }: { readonly name: string | undefined; readonly children: React.ReactNode }) {
  return (
    <div className={styles.line}>
      {name !== undefined && <span className={styles.name}>{name}</span>}
      {children}
    </div>
  );
}

const PAGE = 50;
const OPEN_DEPTH = 2;

function Collection({ id, value, depth, name }: PartProps & { readonly value: Json[] | { [key: string]: Json } }) {
  const entries = Object.entries(value);
  const [open, setOpen] = useState(depth < OPEN_DEPTH && entries.length <= PAGE);
  const [shown, setShown] = useState(PAGE);
  const kind = Array.isArray(value) ? counted(entries.length, 'item') : counted(entries.length, 'field');
  if (entries.length === 0)
    return (
      <Labelled name={name}>{<code className={styles.plain}>{Array.isArray(value) ? '[]' : '{}'}</code>}</Labelled>
    );
  const list = (
    <ul className={depth === 0 ? styles.top : styles.nested}>
      {entries.slice(0, shown).map(([key, item]) => (
        <li key={key}>
          <Part id={id} name={key} value={item} depth={depth + 1} />
        </li>
      ))}
      {entries.length > shown && (
        <li>
          <button type="button" className={styles.more} onClick={() => setShown(shown + PAGE)}>
            Show {count(Math.min(PAGE, entries.length - shown))} more of {count(entries.length)}
          </button>
        </li>
      )}
    </ul>
  );
  if (depth === 0 && entries.length <= PAGE) return list;
  return (
    <>
      <button type="button" className={styles.toggle} aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight aria-hidden />
        {name !== undefined && <span className={styles.name}>{name}</span>}
        <span className={styles.kind}>{kind}</span>
      </button>
      {open && list}
    </>
  );
}

const LINES = 24;
const CHARS = 4_000;

/** Text as it is: with its lines, and not all of a long one at once. */
function Text({ text }: { readonly text: string }) {
  const [all, setAll] = useState(false);
  const short = text
    .split('\n', LINES + 1)
    .slice(0, LINES)
    .join('\n')
    .slice(0, CHARS);
  const isLong = short.length < text.length;
  const shown = all ? text.slice(0, MOST) : short;
  if (!text.includes('\n') && !isLong) return <code className={styles.text}>{text === '' ? '""' : text}</code>;
  return (
    <div className={styles.block}>
      <pre>{shown}</pre>
      {isLong && (
        <button type="button" className={styles.more} aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Show less' : `Show all ${counted(text.split('\n').length, 'line')}`}
        </button>
      )}
      {all && text.length > MOST && <p>The rest is too long to be shown here; copy it instead.</p>}
    </div>
  );
}

const MOST = 200_000;
