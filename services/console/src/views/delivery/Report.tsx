import type { DeliveryReport } from '@toolstream/proto-events';
import { counted } from '../../format/index.ts';
import { CauseCard } from './CauseCard.tsx';
import styles from './Delivery.module.css';
import { Edges } from './Edges.tsx';
import { Headline } from './Headline.tsx';
import { Lag } from './Lag.tsx';
import { LogPositions } from './LogPositions.tsx';
import { beginnings, gaps, ladder, snapshots } from './model/causes.ts';
import { OverTime } from './OverTime.tsx';

export function Report({ report }: { readonly report: DeliveryReport }) {
  const { total, silent, edges } = report;
  return (
    <>
      <p role="status" className={silent > 0 ? styles.incomplete : styles.complete}>
        {silent === 0
          ? `${counted(edges.length, 'edge')} answered.`
          : `${counted(edges.length, 'edge')} answered, ${counted(silent, 'edge')} did not: stopped within the last minute, or too busy. What they did is missing here.`}
      </p>
      <Headline report={report} />
      <Lag report={report} />
      <OverTime report={report} />
      <div className={styles.pair}>
        <CauseCard title="Subscriptions, by how they began" causes={beginnings(total)} />
        <CauseCard title="Gaps" label="Gaps, by what became of them" causes={gaps(total)} />
        <CauseCard title="Snapshots, by reason" causes={snapshots(total)} />
        <CauseCard
          title="Clients that did not keep up"
          label="Clients that did not keep up, by step"
          causes={ladder(total)}
        />
      </div>
      <Edges report={report} />
      <LogPositions report={report} />
    </>
  );
}
