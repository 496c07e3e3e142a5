import styles from './Chart.module.css';

/** Patterns that bars refer to: what is held, and what waits for a person. */
export function Stripes() {
  return (
    <svg className={styles.patterns} width={0} height={0} aria-hidden="true">
      <defs>
        <pattern id="stripes-paused" width={8} height={8} patternUnits="userSpaceOnUse">
          <path d="M2 0 V8 M5 0 V8" className={styles.stripePaused} />
        </pattern>
        <pattern id="stripes-approval" width={8} height={8} patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M2 0 V8" className={styles.stripeApproval} />
        </pattern>
      </defs>
    </svg>
  );
}
