import { ChartColumn, Table2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Button } from '../ui/index.ts';
import styles from './ChartFrame.module.css';

export interface ChartFrameProps {
  readonly title: string;
  /** What it shows in a sentence, with the figures that matter: also for who sees no chart. */
  readonly summary: string;
  /** Series by colour and mark, where there is more than one. */
  readonly legend?: ReactNode;
  readonly chart: ReactNode;
  /** The same figures as a table. */
  readonly table: ReactNode;
}

/** A chart, what it says in words, and the way to its figures as a table. */
export function ChartFrame({ title, summary, legend, chart, table }: ChartFrameProps) {
  const [asTable, setAsTable] = useState(false);
  return (
    <figure className={styles.frame}>
      <figcaption className={styles.caption}>
        <div className={styles.words}>
          <h3 className={styles.title}>{title}</h3>
          <p className={styles.summary}>{summary}</p>
        </div>
        <Button
          size="s"
          variant="quiet"
          icon={asTable ? <ChartColumn aria-hidden /> : <Table2 aria-hidden />}
          onPress={() => setAsTable(!asTable)}
          aria-label={asTable ? `Show “${title}” as a chart` : `Show “${title}” as a table`}
        >
          {asTable ? 'Chart' : 'Table'}
        </Button>
      </figcaption>
      {asTable ? (
        table
      ) : (
        <>
          {legend}
          <div className={styles.plot} aria-hidden>
            {chart}
          </div>
        </>
      )}
    </figure>
  );
}
