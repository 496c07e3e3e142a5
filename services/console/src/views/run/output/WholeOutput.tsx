import { useToolstream } from '@toolstream/react';
import { useEffect, useState } from 'react';
import { ErrorNotice } from '../../../ui/index.ts';
import { framesOf } from '../../timeline/data/frames.ts';
import { type OutputLine, outputLines } from '../model/output-lines.ts';
import { WholeOutput as Collected } from '../model/whole-output.ts';
import { OutputLines } from './OutputLines.tsx';

interface WholeOutputProps {
  readonly id: string;
  readonly index: number;
  readonly attempt: number;
  readonly live: boolean;
}

/** How often lines are made of what came: output may come hundreds of times a second. */
const EVERY_MS = 250;

/** Read from the run's history, and then followed. */
export function WholeOutput({ id, index, attempt, live }: WholeOutputProps) {
  const client = useToolstream();
  const [lines, setLines] = useState<readonly OutputLine[]>([]);
  const [state, setState] = useState<'reading' | 'done'>('reading');
  const [dropped, setDropped] = useState(false);
  const [error, setError] = useState<unknown>();
  const [round, setRound] = useState(0);
  // That the call ends is no reason to read all of it again: what follows brings its last lines.
  const [follows] = useState(live);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round reads it again.
  useEffect(() => {
    const reading = new AbortController();
    const collected = new Collected(index, attempt);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setLines(outputLines(collected.parts));
        setDropped(collected.dropped);
      }, EVERY_MS);
    };
    let cursor: string | undefined;
    const read = async (): Promise<void> => {
      const from = cursor === undefined ? {} : { cursor };
      for await (const frames of framesOf(await client.history(id, { signal: reading.signal, ...from }))) {
        for (const frame of frames) if (collected.add(frame.event)) show();
        cursor = frames.at(-1)?.cursor ?? cursor;
      }
    };
    const failed = (reason: unknown) => {
      if (!reading.signal.aborted) setError(reason);
    };
    // What comes while it is read, or afterwards, is read in the next round: in order, and each piece once.
    let busy = read().then(() => setState('done'), failed);
    const watch = follows ? client.watch(id) : undefined;
    let due = false;
    const more = () => {
      if (due) return;
      due = true;
      busy = busy
        .then(() => new Promise((resolve) => setTimeout(resolve, EVERY_MS)))
        .then(() => {
          due = false;
          return reading.signal.aborted ? undefined : read();
        })
        .catch(failed);
    };
    watch?.on('event', ({ event }) => {
      if (event.type === 'tool.output.v1' && event.toolindex === index) more();
    });
    // It stands for events that are not sent one by one.
    watch?.on('snapshot', more);
    return () => {
      reading.abort();
      clearTimeout(timer);
      watch?.close();
    };
  }, [client, id, index, attempt, follows, round]);

  if (error !== undefined) {
    const again = () => {
      setError(undefined);
      setRound(round + 1);
    };
    return <ErrorNotice title="The output could not be read" error={error} onRetry={again} />;
  }
  if (lines.length === 0)
    return <p role="status">{state === 'reading' ? 'Reading the output…' : 'It wrote nothing.'}</p>;
  return (
    <>
      {dropped && <p>It wrote too much for a page: the beginning is left out. The events have all of it.</p>}
      <OutputLines label="Everything it wrote" lines={lines} live={live} />
    </>
  );
}
