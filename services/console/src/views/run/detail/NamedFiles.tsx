import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useToolstream } from '@toolstream/react';
import { FileText, Image } from 'lucide-react';
import { useObjectUrl } from '../../../ui/index.ts';
import type { NamedFile } from '../model/references.ts';
import styles from './NamedFiles.module.css';
import { Section } from './Section.tsx';

interface NamedFilesProps {
  readonly app: string;
  readonly files: readonly NamedFile[];
  /** The call is over: a picture that it made is there. */
  readonly settled: boolean;
}

const PICTURES = 4;

/** The files that a call names, as links into the app's workspace; pictures are shown. */
export function NamedFiles({ app, files, settled }: NamedFilesProps) {
  const pictures = settled ? files.filter(({ picture }) => picture).slice(0, PICTURES) : [];
  return (
    <Section title="Files">
      <ul className={styles.files}>
        {files.map(({ path, picture }) => (
          <li key={path}>
            <Link to={`/apps/${app}` as string} search={{ file: path } as never} className={styles.file}>
              {picture ? <Image aria-hidden /> : <FileText aria-hidden />}
              {path}
            </Link>
          </li>
        ))}
      </ul>
      {pictures.map(({ path }) => (
        <Picture key={path} app={app} path={path} />
      ))}
    </Section>
  );
}

/** Fetched with the token, which an address could not carry; what the workspace lacks by now is left out. */
function Picture({ app, path }: { readonly app: string; readonly path: string }) {
  const client = useToolstream();
  const { data } = useQuery({
    queryKey: ['file', app, path],
    queryFn: ({ signal }) => client.file(app, path, { signal }),
    retry: false,
  });
  const address = useObjectUrl(data, typeOf(path));
  return address === undefined ? null : <img src={address} alt={`The file ${path}`} className={styles.picture} />;
}

function typeOf(path: string): string {
  const ending = path.slice(path.lastIndexOf('.') + 1).toLowerCase();
  return `image/${ending === 'jpg' ? 'jpeg' : ending === 'ico' ? 'x-icon' : ending}`;
}
