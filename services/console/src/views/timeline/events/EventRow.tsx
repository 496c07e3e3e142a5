import { ChartGantt, ChevronDown, ChevronRight, Copy, Link2 } from 'lucide-react';
import { Button as AriaButton } from 'react-aria-components';
import { count, fullTime } from '../../../format/index.ts';
import { asJson, Button, CodeBlock } from '../../../ui/index.ts';
import type { RunLog } from '../data/run-log.ts';
import { sinceStart } from '../model/elapsed.ts';
import type { EventHistory } from '../model/event-history.ts';
import { sentenceOf, typeWord } from '../model/words.ts';
import { copy, copyLink } from '../moment/links.ts';
import { useShowIn } from '../route.ts';
import { useEvent } from '../use-state-at.ts';
import styles from './EventList.module.css';

export interface EventRowProps {
  readonly log: RunLog;
  readonly history: EventHistory;
  readonly index: number;
  /** Its place in the table, the head included. */
  readonly row: number;
  readonly name: string | undefined;
  readonly open: boolean;
  readonly linked: boolean;
  readonly onToggle: (index: number) => void;
}

export function EventRow({ log, history, index, row, name, open, linked, onToggle }: EventRowProps) {
  const { columns } = history;
  const event = useEvent(log, history, index);
  const call = columns.call(index);
  const type = columns.type(index);
  return (
    <>
      <tr
        aria-rowindex={row}
        className={`${styles.row} ${styles.eventRow}`}
        data-linked={linked || undefined}
        data-event={index}
        data-family={familyOf(type)}
      >
        <td className={styles.number}>
          <AriaButton
            className={styles.expand ?? ''}
            aria-expanded={open}
            aria-label={`Event ${index + 1}, ${typeWord(type)}: ${open ? 'hide' : 'show'} it as it is stored`}
            onPress={() => onToggle(index)}
          >
            {open ? <ChevronDown aria-hidden /> : <ChevronRight aria-hidden />}
            {count(index + 1)}
          </AriaButton>
        </td>
        <td className={styles.time} title={fullTime(columns.time(index))}>
          {sinceStart(columns.time(index), columns.time(0))}
        </td>
        <td className={styles.type}>{typeWord(type)}</td>
        <td className={styles.call}>
          {call === undefined ? <span className={styles.none}>run</span> : `${call + 1} ${name ?? ''}`}
        </td>
        <td className={styles.what}>{event ? sentenceOf(event) : '…'}</td>
      </tr>
      {open && (
        <tr className={styles.rawRow} data-raw={index}>
          <td colSpan={5} className={styles.raw}>
            {event ? <Raw event={event} cursor={log.cursorAt(index)} /> : 'The event is fetched…'}
          </td>
        </tr>
      )}
    </>
  );
}

function Raw({ event, cursor }: { readonly event: NonNullable<ReturnType<typeof useEvent>>; readonly cursor: string }) {
  const showIn = useShowIn();
  const text = asJson(event);
  return (
    <>
      <div className={styles.rawButtons}>
        <Button size="s" icon={<Copy aria-hidden />} onPress={() => copy(text, 'Event copied')}>
          Copy event
        </Button>
        <Button size="s" icon={<Link2 aria-hidden />} onPress={() => copyLink('events', cursor)}>
          Copy link
        </Button>
        <Button size="s" icon={<ChartGantt aria-hidden />} onPress={() => showIn('timeline', cursor)}>
          Show on the timeline
        </Button>
        <span className={styles.cursor}>
          cursor <code>{cursor}</code>
        </span>
      </div>
      <CodeBlock label={`Event ${event.id} as CloudEvents JSON`} text={text} />
    </>
  );
}

/** Reports stand back behind what changes where things stand. */
const familyOf = (type: string): string =>
  type.startsWith('tool.progressed') || type.startsWith('tool.output') ? 'report' : 'life';
