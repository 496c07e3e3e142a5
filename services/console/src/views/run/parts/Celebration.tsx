import confetti from 'canvas-confetti';
import { useEffect, useRef, useState } from 'react';
import styles from './Celebration.module.css';

const FALLS_MS = 4_000;

/** A little confetti, once. Whoever wants no motion gets none; screen readers have heard of the end already. */
export function Celebration() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [moves] = useState(() => !matchMedia('(prefers-reduced-motion: reduce)').matches);
  useEffect(() => {
    if (!canvas.current) return;
    // No worker: it would have to be made from a blob, which the content security policy rightly forbids.
    const fire = confetti.create(canvas.current, { resize: true, useWorker: false, disableForReducedMotion: true });
    const colors = ['#0d7479', '#62c8c1', '#e8ba5b', '#9db1f0'];
    const shot = { particleCount: 40, spread: 55, startVelocity: 42, ticks: 140, colors };
    void fire({ ...shot, angle: 60, origin: { x: 0, y: 0.7 } });
    void fire({ ...shot, angle: 120, origin: { x: 1, y: 0.7 } });
    const stop = setTimeout(() => fire.reset(), FALLS_MS);
    return () => {
      clearTimeout(stop);
      fire.reset();
    };
  }, []);
  if (!moves) return null;
  return <canvas ref={canvas} aria-hidden className={styles.canvas} data-testid="celebration" />;
}
