import styles from './Legend.module.css';
import type { Series } from './TimeChart.tsx';

/** Names of the series beside their colour and their mark. The table has the same names, so it is no news to who hears it. */
export function Legend({ series }: { readonly series: readonly Series[] }) {
  return (
    <ul className={styles.legend} aria-hidden>
      {series.map(({ id, name, colour, dashed }) => (
        <li key={id}>
          <svg viewBox="0 0 24 8" width="24" height="8" aria-hidden>
            <line
              x1="1"
              y1="4"
              x2="23"
              y2="4"
              stroke={colour}
              strokeWidth="3"
              strokeLinecap="round"
              strokeDasharray={dashed ? '5 4' : undefined}
            />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}
