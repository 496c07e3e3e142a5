import type { ToolListing } from '@toolstream/client';
import { type FiguresColumn, FiguresTable } from '../../../charts/index.ts';
import { asJson, Card, CodeBlock } from '../../../ui/index.ts';
import { policyOf } from '../model/policy.ts';
import { type SchemaField, schemaFields } from '../model/schema-fields.ts';
import styles from './ToolPage.module.css';

/** What a tool takes and how its calls are run, as the executors of one pool announce it. */
export function Definition({ tool, several }: { readonly tool: ToolListing; readonly several: boolean }) {
  const of = several ? ` in pool ${tool.pool}` : '';
  const { fields, cut, open } = schemaFields(tool.input_schema);
  return (
    <>
      <Card title={`Input${of}`}>
        <div className={styles.schema}>
          {fields.length === 0 ? (
            <p className={styles.note}>It names no fields{open ? ': any may be given' : ': it takes none'}.</p>
          ) : (
            <FiguresTable
              label={`Fields of ${tool.name}${of}`}
              rows={fields}
              rowKey={({ path }) => path}
              columns={COLUMNS}
            />
          )}
          {(cut || (open && fields.length > 0)) && (
            <p className={styles.note}>
              {cut && 'There is more in it than is shown here. '}
              {open && fields.length > 0 && 'Fields that are not named may be given too.'}
            </p>
          )}
          <details>
            <summary>Raw JSON Schema</summary>
            <CodeBlock label={`JSON Schema of ${tool.name}${of}`} text={asJson(tool.input_schema)} />
          </details>
        </div>
      </Card>
      <Card title={`How it is run${of}`}>
        <dl className={styles.policy}>
          <div>
            <dt>Pool</dt>
            <dd className={styles.value}>
              <code>{tool.pool}</code>
            </dd>
            <dd className={styles.meaning}>The executors that serve it.</dd>
          </div>
          {policyOf(tool).map(({ term, value, meaning }) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd className={styles.value}>{value}</dd>
              <dd className={styles.meaning}>{meaning}</dd>
            </div>
          ))}
        </dl>
      </Card>
    </>
  );
}

const COLUMNS: FiguresColumn<SchemaField>[] = [
  { id: 'path', header: 'Field', cell: ({ path }) => <code>{path}</code> },
  { id: 'type', header: 'Type', cell: ({ type }) => <code>{type}</code> },
  {
    id: 'required',
    header: 'Required',
    cell: ({ required }) => (required ? <span className={styles.required}>Required</span> : 'Optional'),
  },
  {
    id: 'default',
    header: 'Default',
    cell: ({ fallback }) => (fallback === undefined ? '–' : <code>{fallback}</code>),
  },
  {
    id: 'about',
    header: 'What it is',
    cell: ({ description, limits }) => (
      <div className={styles.about}>
        {description}
        {limits.length > 0 && <div className={styles.limits}>{limits.join(', ')}</div>}
        {description === undefined && limits.length === 0 && '–'}
      </div>
    ),
  },
];
