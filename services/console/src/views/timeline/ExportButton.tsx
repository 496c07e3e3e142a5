import { useToolstream } from '@toolstream/react';
import { Download, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { bytes } from '../../format/index.ts';
import { announce, Button, download, explain, toast } from '../../ui/index.ts';
import { exportRun } from './data/export.ts';

/** The run's history as a file, one event frame a line, as the service sends it. */
export function ExportButton({ id }: { readonly id: string }) {
  const client = useToolstream();
  const [read, setRead] = useState<number>();
  const request = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => request.current?.abort(), []);

  const begin = async () => {
    const under = new AbortController();
    request.current = under;
    setRead(0);
    try {
      const file = await exportRun(client, id, { signal: under.signal, onBytes: setRead });
      under.signal.throwIfAborted();
      download(file, `${id}.ndjson`);
      announce(`Exported ${bytes(file.size)}.`, 'export');
    } catch (error) {
      if (under.signal.aborted) return;
      const { message, advice } = explain(error);
      toast({ title: 'The export did not work', description: `${message} ${advice}`, tone: 'bad' });
    } finally {
      setRead(undefined);
    }
  };
  if (read === undefined)
    return (
      <Button size="s" icon={<Download aria-hidden />} onPress={() => void begin()}>
        Export NDJSON
      </Button>
    );
  return (
    <Button size="s" icon={<X aria-hidden />} onPress={() => request.current?.abort()}>
      {bytes(read)} so far. Stop
    </Button>
  );
}
