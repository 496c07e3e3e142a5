import { useEffect } from 'react';
import { Logo } from '../ui/Logo.tsx';
import styles from './SignIn.module.css';
import type { Session } from './session.ts';
import { TokenForm, TokenHelp } from './TokenForm.tsx';

export function SignIn({ session }: { readonly session: Session }) {
  useEffect(() => {
    document.title = 'Sign in · Toolstream';
  }, []);
  return (
    <main className={styles.page}>
      <div className={styles.box}>
        <p className={styles.brand}>
          <Logo /> Toolstream
        </p>
        <h1 className={styles.title}>Sign in</h1>
        <p>Watch what your agents’ tools are doing, and steer it.</p>
        <TokenForm session={session} />
        <TokenHelp />
      </div>
    </main>
  );
}
