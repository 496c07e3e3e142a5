import { memo, useEffect, useRef, useState } from 'react';
import { Bar, BarChart, YAxis } from 'recharts';
import styles from './Sparkline.module.css';

export interface SparklineProps {
  readonly rows: readonly { readonly at: number; readonly succeeded: number; readonly failed: number }[];
}

const WIDTH = 128;
const HEIGHT = 28;

/**
 * Calls over time in the size of a word, failed ones on top. For eyes only: the row that it stands in says the figures.
 * Drawn when it first comes near the screen, so that a list of hundreds costs what is seen of it.
 */
export const Sparkline = memo(function Sparkline({ rows }: SparklineProps) {
  const place = useRef<HTMLSpanElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (element === null || seen) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) setSeen(true);
      },
      { rootMargin: '200px' },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [seen]);
  return (
    <span ref={place} className={styles.sparkline} style={{ width: WIDTH, height: HEIGHT }} aria-hidden>
      {seen && (
        <BarChart
          width={WIDTH}
          height={HEIGHT}
          data={[...rows]}
          accessibilityLayer={false}
          margin={{ top: 1, right: 0, bottom: 0, left: 0 }}
          barCategoryGap={1}
        >
          <YAxis hide domain={[0, 'dataMax']} />
          <Bar dataKey="succeeded" stackId="all" fill="var(--series-1)" isAnimationActive={false} />
          <Bar dataKey="failed" stackId="all" fill="var(--bad)" isAnimationActive={false} />
        </BarChart>
      )}
    </span>
  );
});
