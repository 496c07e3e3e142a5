import { ClipboardPaste } from 'lucide-react';
import { useState } from 'react';
import { counted } from '../../../format/index.ts';
import { announce, Button, Card, TextArea } from '../../../ui/index.ts';
import { type AnswerFormat, type Pasted, type PastedCall, pasted } from '../model/paste.ts';
import styles from './NewRun.module.css';

const NAMES: Readonly<Record<AnswerFormat, string>> = {
  openai: 'OpenAI chat',
  'openai-responses': 'OpenAI Responses',
  anthropic: 'Anthropic',
  native: 'Toolstream',
};

/** Takes the calls out of a model's response. */
export function PasteCard({ onCalls }: { readonly onCalls: (calls: readonly PastedCall[]) => void }) {
  const [text, setText] = useState('');
  const [tried, setTried] = useState<Extract<Pasted, { ok: false }>>();
  const [taken, setTaken] = useState<string>();
  const take = () => {
    const read = pasted(text);
    if (!read.ok) {
      setTried(read);
      setTaken(undefined);
      return;
    }
    const words = `${counted(read.calls.length, 'call')} taken from a response in the format of ${NAMES[read.format]}.`;
    onCalls(read.calls);
    setText('');
    setTried(undefined);
    setTaken(words);
    announce(words, 'paste');
  };
  return (
    <Card title="Paste a model’s response">
      <div className={styles.stack}>
        <TextArea
          label="Response"
          description="Of OpenAI’s chat or Responses API, of Anthropic’s Messages API, or calls as this service takes them."
          mono
          rows={6}
          value={text}
          onChange={(value) => {
            setText(value);
            setTried(undefined);
          }}
          errorMessage={tried && failureWords(tried)}
        />
        <div className={styles.row}>
          <Button icon={<ClipboardPaste />} onPress={take}>
            Take the calls
          </Button>
          {taken !== undefined && <p className={styles.quiet}>{taken}</p>}
        </div>
      </div>
    </Card>
  );
}

const failureWords = ({ message, line, column }: Extract<Pasted, { ok: false }>): string =>
  line === undefined ? message : `Line ${line}, column ${column}: ${message}`;
