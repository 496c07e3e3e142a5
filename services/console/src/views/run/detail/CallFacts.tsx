import { Link } from '@tanstack/react-router';
import { type RunView, type ToolState, useRunSelector } from '@toolstream/react';
import { ChevronRight } from 'lucide-react';
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import { clockTime, duration, fullTime } from '../../../format/index.ts';
import { statusLook } from '../../../ui/index.ts';
import { callNumber, comeNext, comesAfter, ORDER_WORDS } from '../model/order.ts';
import { toCall } from '../route.ts';
import styles from './CallFacts.module.css';

/** Where the call stands among the others, and under which rules it runs. */
export function CallFacts({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  return (
    <>
      <Neighbours id={id} index={tool.index} />
      <Disclosure>
        <Heading level={3} className={styles.heading ?? ''}>
          <AriaButton slot="trigger" className={styles.trigger ?? ''}>
            <ChevronRight aria-hidden /> Rules and identity
          </AriaButton>
        </Heading>
        <DisclosurePanel>
          <dl className={styles.facts}>
            {factsOf(tool).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </DisclosurePanel>
      </Disclosure>
    </>
  );
}

function Neighbours({ id, index }: { readonly id: string; readonly index: number }) {
  const ordering = useRunSelector(id, ({ run }) => run?.ordering ?? 'parallel');
  const before = useRunSelector(id, (view) => callsOf(view, index, 'before'), sameCalls);
  const next = useRunSelector(id, (view) => callsOf(view, index, 'next'), sameCalls);
  if (before.length === 0 && next.length === 0) return null;
  return (
    <dl className={styles.order} aria-label={`Order: ${ORDER_WORDS[ordering].toLowerCase()}`}>
      {before.length > 0 && (
        <div>
          <dt>After</dt>
          <dd>
            <Calls calls={before} />
          </dd>
        </div>
      )}
      {next.length > 0 && (
        <div>
          <dt>Before</dt>
          <dd>
            <Calls calls={next} />
          </dd>
        </div>
      )}
    </dl>
  );
}

type Neighbour = Pick<ToolState, 'index' | 'name' | 'status'>;

function callsOf({ run }: RunView, index: number, side: 'before' | 'next'): readonly Neighbour[] {
  const tool = run?.tools[index];
  if (!run || !tool) return [];
  const indexes = side === 'before' ? comesAfter(run, tool) : comeNext(run, index);
  return indexes.flatMap((i) => run.tools[i] ?? []);
}

const sameCalls = (a: readonly Neighbour[], b: readonly Neighbour[]): boolean =>
  a.length === b.length && a.every((call, i) => call.index === b[i]?.index && call.status === b[i]?.status);

function Calls({ calls }: { readonly calls: readonly Neighbour[] }) {
  return (
    <ul className={styles.calls}>
      {calls.slice(0, SHOWN).map(({ index, name, status }) => (
        <li key={index}>
          <Link {...toCall(index)}>
            {callNumber(index)} {name}
          </Link>{' '}
          <span className={styles.state}>{statusLook[status].word.toLowerCase()}</span>
        </li>
      ))}
      {calls.length > SHOWN && <li>and {calls.length - SHOWN} more</li>}
    </ul>
  );
}

const SHOWN = 12;

function factsOf(tool: ToolState): [string, React.ReactNode][] {
  const facts: [string, React.ReactNode][] = [
    ['What it is for', tool.description],
    ['Call id', <code key="id">{tool.call_id}</code>],
    ['Pool', tool.pool],
    ['Isolation', tool.isolation],
    ['Twice is as good as once', tool.idempotent ? 'yes' : 'no'],
    ['Destroys something', tool.destructive ? 'yes' : 'no'],
    ['Longest', duration(tool.timeout_ms)],
    ['Attempts at most', String(tool.retries.max_attempts)],
    ['In a pause', tool.pause === 'finish' ? 'goes on to its end' : 'is held at its next report'],
  ];
  for (const [name, at] of [
    ['Queued', tool.queued_at],
    ['Started', tool.started_at],
    ['Ended', tool.ended_at],
  ] as const) {
    if (at !== undefined) {
      facts.push([
        name,
        <time key={name} dateTime={at} title={fullTime(at)}>
          {clockTime(at)}
        </time>,
      ]);
    }
  }
  return facts;
}
