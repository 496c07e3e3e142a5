import { Check } from 'lucide-react';
import styles from './Form.module.css';

/** The box of a checkbox; its label stands beside it. */
export const Box = () => (
  <span className={styles.box} aria-hidden>
    <Check />
  </span>
);
