import { Checkbox, CheckboxGroup, FieldError, Label } from 'react-aria-components';
import { fieldStyles } from '../../../ui/index.ts';
import { Box } from '../form/Box.tsx';
import formStyles from '../form/Form.module.css';
import { type DraftCall, possibleDependencies } from '../model/draft.ts';
import styles from './NewRun.module.css';

export interface WaitsProps {
  readonly call: DraftCall;
  readonly calls: readonly DraftCall[];
  readonly onChange: (depends_on: readonly string[]) => void;
  readonly problem: string | undefined;
}

/** For which others a call waits, of those that do not wait for it. One that was picked before stays to be taken back. */
export function Waits({ call, calls, onChange, problem }: WaitsProps) {
  const possible = possibleDependencies(calls, call.key);
  if (possible.length === 0 && problem === undefined)
    return <p className={styles.quiet}>There is no call that this one could wait for.</p>;
  return (
    <CheckboxGroup
      className={fieldStyles.field ?? ''}
      value={[...call.depends_on]}
      onChange={onChange}
      isInvalid={problem !== undefined}
    >
      <Label className={fieldStyles.label ?? ''}>Waits for</Label>
      {calls
        .filter((other) => possible.includes(other) || call.depends_on.includes(other.key))
        .map((other) => (
          <Checkbox key={other.key} value={other.key} className={formStyles.checkbox ?? ''}>
            <Box />
            {calls.indexOf(other) + 1}. {other.name}, <code>{other.id}</code>
          </Checkbox>
        ))}
      <FieldError className={fieldStyles.error ?? ''}>{problem}</FieldError>
    </CheckboxGroup>
  );
}
