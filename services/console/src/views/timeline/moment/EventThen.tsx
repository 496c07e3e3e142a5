import type { ToolstreamEvent } from '@toolstream/proto-events';
import { Link2, ListTree } from 'lucide-react';
import { Button as AriaButton, Disclosure, DisclosurePanel } from 'react-aria-components';
import { fullTime } from '../../../format/index.ts';
import { asJson, Button, Card, CodeBlock } from '../../../ui/index.ts';
import { sentenceOf, typeWord } from '../model/words.ts';
import { copyLink } from './links.ts';
import styles from './Moment.module.css';

export interface EventThenProps {
  readonly event: ToolstreamEvent | undefined;
  readonly cursor: string | undefined;
  readonly name: string | undefined;
  readonly onShowInEvents: () => void;
}

/** The event that made the moment. */
export function EventThen({ event, cursor, name, onShowInEvents }: EventThenProps) {
  return (
    <Card title="The event of this moment">
      {event && cursor !== undefined ? (
        <div className={styles.event} data-testid="timeline-event">
          <p className={styles.eventHead}>
            <code>{typeWord(event.type)}</code>
            {event.toolindex !== undefined && (
              <span>
                call {event.toolindex + 1}
                {name === undefined ? '' : ` (${name})`}
                {event.attempt === undefined ? '' : `, attempt ${event.attempt}`}
              </span>
            )}
          </p>
          <p>{sentenceOf(event)}</p>
          <p className={styles.facts}>
            <time dateTime={event.time}>{fullTime(event.time)}</time>
            {event.actor === undefined ? '' : ` · by ${event.actor}`} · cursor <code>{cursor}</code>
          </p>
          <div className={styles.eventButtons}>
            <Button size="s" icon={<Link2 aria-hidden />} onPress={() => copyLink('timeline', cursor)}>
              Copy link to this event
            </Button>
            <Button size="s" icon={<ListTree aria-hidden />} onPress={onShowInEvents}>
              Show in events
            </Button>
          </div>
          <Disclosure className={styles.raw ?? ''}>
            <AriaButton slot="trigger" className={styles.rawTrigger ?? ''}>
              The event as it is stored (CloudEvents JSON)
            </AriaButton>
            <DisclosurePanel>
              <CodeBlock label={`Event ${event.id}`} text={asJson(event)} />
            </DisclosurePanel>
          </Disclosure>
        </div>
      ) : (
        <p className={styles.facts}>
          {cursor === undefined
            ? 'In the present there is always a next one. Choose a moment with the scrubber, the ruler or a bar.'
            : 'The event is fetched…'}
        </p>
      )}
    </Card>
  );
}
