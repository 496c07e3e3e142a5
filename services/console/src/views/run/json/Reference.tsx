import type { ArtifactRef, Json } from '@toolstream/proto-events';
import { useToolstream } from '@toolstream/react';
import { Download, Package } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { bytes } from '../../../format/index.ts';
import { Button, blobOf, CodeBlock, download, ErrorNotice } from '../../../ui/index.ts';
import { useArtifact } from '../use-artifact.ts';
import styles from './Reference.module.css';

/** Beyond this it is offered as a file: it would be of no use on a page. */
const SHOWN_BYTES = 4_000_000;

interface ReferenceProps {
  readonly id: string;
  readonly reference: ArtifactRef;
  /** How the value is shown that turns out to be referred to. */
  readonly show: (value: Json) => ReactNode;
}

/** A value that is kept apart from the events, because it is large: fetched when somebody wants to see it. */
export function Reference({ id, reference, show }: ReferenceProps) {
  const { artifact, bytes: size } = reference.$ref;
  const client = useToolstream();
  const [wanted, setWanted] = useState(false);
  const { data, error, isFetching, refetch } = useArtifact(id, reference, { enabled: wanted });
  const save = async () => {
    const content = data ?? (await client.artifact(id, reference));
    download(blobOf(content, 'application/json'), `${artifact.split('.').at(-1) ?? 'artifact'}.json`);
  };
  return (
    <div className={styles.reference}>
      <div className={styles.line}>
        <Package aria-hidden />
        <span>Kept apart: {bytes(size)}</span>
        {data === undefined && size <= SHOWN_BYTES && (
          <Button size="s" isPending={isFetching} onPress={() => setWanted(true)}>
            Show it
          </Button>
        )}
        <Button size="s" icon={<Download aria-hidden />} onPress={() => void save().catch(() => setWanted(true))}>
          Download
        </Button>
      </div>
      {error && <ErrorNotice title="It could not be fetched" error={error} onRetry={() => void refetch()} />}
      {data && <Content data={data} show={show} />}
    </div>
  );
}

function Content({ data, show }: Pick<ReferenceProps, 'show'> & { readonly data: Uint8Array }) {
  const text = new TextDecoder().decode(data);
  const value = parsed(text);
  if (value === undefined) return <CodeBlock label="Content" text={text.slice(0, 200_000)} wrap />;
  return show(value);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
