import type { ArtifactRef } from '@toolstream/proto-events';
import { useToolstream } from '@toolstream/react';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { bytes } from '../../../format/index.ts';
import { Button, download, ErrorNotice } from '../../../ui/index.ts';

interface OutputRestProps {
  readonly id: string;
  readonly reference: ArtifactRef;
  /** Of the tool. */
  readonly name: string;
}

/** Output beyond what events may hold: a file, too long for a page. */
export function OutputRest({ id, reference, name }: OutputRestProps) {
  const client = useToolstream();
  const [pending, setPending] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    setPending(true);
    setError(undefined);
    try {
      const content = await client.artifact(id, reference, { timeoutMs: 300_000 });
      download(new Blob([textOf(content)], { type: 'text/plain' }), `${name}-output.txt`);
    } catch (reason) {
      setError(reason);
    } finally {
      setPending(false);
    }
  };
  return (
    <>
      <p data-testid="output-rest">
        It wrote more than events may hold; the rest is kept apart.{' '}
        <Button size="s" icon={<Download aria-hidden />} isPending={pending} onPress={() => void save()}>
          Download the rest ({bytes(reference.$ref.bytes)})
        </Button>
      </p>
      {error !== undefined && <ErrorNotice title="It could not be fetched" error={error} />}
    </>
  );
}

/** It is kept as a JSON line `{channel, text}` per piece. */
const textOf = (content: Uint8Array): string =>
  new TextDecoder()
    .decode(content)
    .split('\n')
    .map((line) => (line === '' ? '' : (JSON.parse(line) as { text: string }).text))
    .join('');
