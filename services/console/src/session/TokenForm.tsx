import { type FormEvent, useState } from 'react';
import { Button, TextField } from '../ui/index.ts';
import styles from './SignIn.module.css';
import type { Session } from './session.ts';
import { readIdentity, tokenIn } from './token.ts';

/** Takes what was pasted: a token, or the address that the terminal printed. */
export function TokenForm({ session, autoFocus = false }: { readonly session: Session; readonly autoFocus?: boolean }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const expiresAt = readIdentity(tokenIn(text))?.expiresAt;
    if (expiresAt !== undefined && expiresAt <= Date.now())
      setProblem('This token has expired too: make a new one, then paste it here.');
    else if (!session.signIn(text))
      setProblem(
        'This is no token. Paste the whole line from the terminal: it begins with “ey” or is an address with #token=.',
      );
  };
  return (
    <form onSubmit={submit} className={styles.form} aria-label="Sign in">
      <TextField
        label="Token"
        type="password"
        autoComplete="off"
        mono
        value={text}
        onChange={(value) => {
          setText(value);
          setProblem(undefined);
        }}
        errorMessage={problem}
        description="It is kept by the open tabs of this browser, and gone with the last of them."
        autoFocus={autoFocus}
        isRequired
      />
      <Button variant="primary" type="submit">
        Sign in
      </Button>
    </form>
  );
}

/** Where tokens come from. */
export function TokenHelp() {
  return (
    <div className={styles.help}>
      <p>
        <code>make demo</code> and <code>make up</code> print the console’s address with a token in it: open that
        address, or paste it here.
      </p>
      <p>
        To make another one: <code>npm run toolstream -- token</code>. Elsewhere, ask whoever runs Toolstream for you.
      </p>
    </div>
  );
}
