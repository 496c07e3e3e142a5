import { Link } from '@tanstack/react-router';
import { type RunView, useRunSelector } from '@toolstream/react';
import { RelativeTime } from '../../../ui/index.ts';
import { ORDER_WORDS } from '../model/order.ts';
import { runStanding } from '../model/standing.ts';
import { useViewer } from '../use-viewer.ts';
import styles from './RunFacts.module.css';

/** What does not change about a run, and one sentence on how it stands. */
export function RunFacts({ id }: { readonly id: string }) {
  const facts = useRunSelector(id, factsOf, sameFacts);
  const standing = useRunSelector(id, ({ run }) => (run ? runStanding(run) : ''));
  const { control } = useViewer();
  if (!facts) return null;
  const { message_id, actor, ordering, priority, accepted_at, rerun_of } = facts;
  return (
    <div className={styles.lead}>
      <p className={styles.standing}>{standing}</p>
      <dl className={styles.facts}>
        <div>
          <dt>Id</dt>
          <dd>
            <code>{id}</code>
          </dd>
        </div>
        {message_id !== undefined && (
          <div>
            <dt>Message</dt>
            <dd>
              <code>{message_id}</code>
            </dd>
          </div>
        )}
        <div>
          <dt>Handed over</dt>
          <dd>
            <RelativeTime at={accepted_at} />
            {actor === undefined ? '' : ` by ${actor}`}
          </dd>
        </div>
        <div>
          <dt>Order</dt>
          <dd>{ORDER_WORDS[ordering]}</dd>
        </div>
        {priority !== 'normal' && (
          <div>
            <dt>Priority</dt>
            <dd>{priority}</dd>
          </div>
        )}
        {rerun_of !== undefined && (
          <div>
            <dt>Again</dt>
            <dd>
              <Link to="/runs/$id" params={{ id: rerun_of }}>
                the run before
              </Link>
            </dd>
          </div>
        )}
      </dl>
      {!control && <p>Your token may watch this run, not steer it (it lacks the scope runs:control).</p>}
    </div>
  );
}

type Facts = Pick<
  NonNullable<RunView['run']>,
  'message_id' | 'actor' | 'ordering' | 'priority' | 'accepted_at' | 'rerun_of'
>;

function factsOf({ run }: RunView): Facts | undefined {
  if (!run) return undefined;
  const { message_id, actor, ordering, priority, accepted_at, rerun_of } = run;
  return { message_id, actor, ordering, priority, accepted_at, rerun_of } as Facts;
}

const sameFacts = (a: Facts | undefined, b: Facts | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.accepted_at === b.accepted_at &&
  a.actor === b.actor &&
  a.rerun_of === b.rerun_of;
