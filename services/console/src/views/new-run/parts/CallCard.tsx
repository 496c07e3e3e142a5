import type { ToolListing } from '@toolstream/client';
import {
  ArrowDown,
  ArrowUp,
  ChevronRight,
  Copy,
  ShieldAlert,
  Trash2,
  TriangleAlert,
  UserRoundCheck,
} from 'lucide-react';
import { type Dispatch, memo } from 'react';
import { Button, Card, IconButton, TextField } from '../../../ui/index.ts';
import type { DraftAction, DraftCall } from '../model/draft.ts';
import type { Problem } from '../model/problems.ts';
import { Arguments } from './Arguments.tsx';
import styles from './NewRun.module.css';
import { SuggestField } from './SuggestField.tsx';
import { Waits } from './Waits.tsx';

export interface CallCardProps {
  readonly call: DraftCall;
  /** Its place, from 1, of so many. */
  readonly number: number;
  readonly total: number;
  readonly calls: readonly DraftCall[];
  readonly tools: readonly ToolListing[];
  readonly problems: readonly Problem[];
  readonly isGraph: boolean;
  readonly isOpen: boolean;
  readonly onOpen: (key: string, open: boolean) => void;
  readonly change: Dispatch<DraftAction>;
}

/** One call: which tool, its arguments, what it waits for. Closed, it is a line. Of many, only the one that is written is rendered. */
export const CallCard = memo(function CallCard(props: CallCardProps) {
  const { call, number, total, calls, tools, problems, isGraph, isOpen, onOpen, change } = props;
  const tool = tools.find(({ name }) => name === call.name);
  const set = (part: Partial<DraftCall>) => change({ type: 'change', key: call.key, change: part });
  const of = (field: Problem['field']) =>
    problems.find((problem) => problem.field === field && !problem.warning)?.message;
  const warning = problems.find((problem) => problem.warning)?.message;
  const isFaulty = problems.some((problem) => !problem.warning);
  const name = call.name === '' ? 'no tool yet' : call.name;
  return (
    <div id={anchorOf(call)} tabIndex={-1} className={isFaulty ? styles.faulty : undefined} data-testid="call">
      <Card
        level={3}
        title={`${number}. ${name}`}
        actions={
          <>
            <IconButton
              size="s"
              label={`Move call ${number} up`}
              icon={<ArrowUp />}
              isDisabled={number === 1}
              onPress={() => change({ type: 'move', key: call.key, by: -1 })}
            />
            <IconButton
              size="s"
              label={`Move call ${number} down`}
              icon={<ArrowDown />}
              isDisabled={number === total}
              onPress={() => change({ type: 'move', key: call.key, by: 1 })}
            />
            <IconButton
              size="s"
              label={`Copy call ${number}`}
              icon={<Copy />}
              onPress={() => change({ type: 'add', calls: [call] })}
            />
            <IconButton
              size="s"
              label={`Remove call ${number}`}
              icon={<Trash2 />}
              onPress={() => change({ type: 'remove', key: call.key })}
            />
            <Button
              size="s"
              variant="quiet"
              icon={<ChevronRight className={isOpen ? styles.turned : undefined} />}
              aria-expanded={isOpen}
              aria-label={`${isOpen ? 'Close' : 'Open'} call ${number}`}
              onPress={() => onOpen(call.key, !isOpen)}
            >
              {isOpen ? 'Close' : 'Open'}
            </Button>
          </>
        }
      >
        {!isOpen ? (
          <p className={styles.preview}>{preview(call.text)}</p>
        ) : (
          <div className={styles.stack}>
            <div className={styles.fields}>
              <SuggestField
                label="Tool"
                value={call.name}
                onChange={(next) => set({ name: next })}
                suggestions={tools.map((listed) => ({ id: listed.name }))}
                errorMessage={of('name')}
              />
              <TextField label="Id" mono value={call.id} onChange={(id) => set({ id })} errorMessage={of('id')} />
              <TimeoutField call={call} tool={tool} onChange={set} problem={of('timeout_ms')} />
            </div>
            {warning !== undefined && (
              <p className={styles.flag}>
                <TriangleAlert aria-hidden /> {warning}
              </p>
            )}
            {tool && <ToolWords tool={tool} />}
            {isGraph && (
              <Waits
                call={call}
                calls={calls}
                onChange={(depends_on) => set({ depends_on })}
                problem={of('depends_on')}
              />
            )}
            <Arguments
              call={call}
              tool={tool}
              problems={problems.filter(({ field }) => field === 'arguments')}
              onText={(text) => set({ text })}
            />
          </div>
        )}
      </Card>
    </div>
  );
}, isSame);

/** Others matter to a call only where it says for which it waits. */
function isSame(before: CallCardProps, now: CallCardProps): boolean {
  const plain = ['call', 'number', 'total', 'tools', 'isGraph', 'isOpen', 'onOpen', 'change'] as const;
  return (
    plain.every((name) => before[name] === now[name]) &&
    (before.calls === now.calls || !(now.isGraph && now.isOpen)) &&
    JSON.stringify(before.problems) === JSON.stringify(now.problems)
  );
}

export const anchorOf = ({ key }: DraftCall): string => `call-${key}`;

const preview = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 200);

function ToolWords({ tool }: { readonly tool: ToolListing }) {
  return (
    <div className={styles.stackTight}>
      <p className={styles.quiet}>{tool.description}</p>
      {(tool.approval === 'always' || (tool.approval === 'destructive' && tool.destructive)) && (
        <p className={styles.flag}>
          <UserRoundCheck aria-hidden /> It waits for somebody’s approval before it runs.
        </p>
      )}
      {tool.destructive && (
        <p className={styles.flag}>
          <ShieldAlert aria-hidden /> What it does cannot be taken back.
        </p>
      )}
    </div>
  );
}

interface TimeoutProps {
  readonly call: DraftCall;
  readonly onChange: (part: Pick<DraftCall, 'timeout_ms'>) => void;
  readonly tool: ToolListing | undefined;
  readonly problem: string | undefined;
}

function TimeoutField({ call, tool, onChange, problem }: TimeoutProps) {
  const { timeout_ms } = call;
  const usual = tool === undefined ? '' : String(tool.timeout_ms / 1000);
  return (
    <TextField
      label="Time limit in seconds (optional)"
      inputMode="decimal"
      placeholder={usual}
      errorMessage={problem}
      value={timeout_ms === undefined ? '' : String(timeout_ms / 1000)}
      onChange={(text) => {
        const ms = Math.round(Number(text) * 1000);
        if (text.trim() === '') onChange({ timeout_ms: undefined });
        else if (Number.isFinite(ms) && ms >= 1) onChange({ timeout_ms: ms });
      }}
    />
  );
}
