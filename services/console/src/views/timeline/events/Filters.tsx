import { ChevronDown, X } from 'lucide-react';
import { Button as AriaButton, type Key, Menu, MenuItem, MenuTrigger, Popover } from 'react-aria-components';
import { Button } from '../../../ui/index.ts';
import { type EventFilter, isFiltered, NO_FILTER } from '../model/filter.ts';
import { typeWord } from '../model/words.ts';
import styles from './Filters.module.css';

export interface FiltersProps {
  readonly types: readonly string[];
  readonly names: readonly string[];
  readonly filter: EventFilter;
  readonly onChange: (filter: EventFilter) => void;
}

export function Filters({ types, names, filter, onChange }: FiltersProps) {
  const typeItems = types
    .map((type) => ({ id: type, label: typeWord(type) }))
    .sort((a, b) => a.label.localeCompare(b.label));
  const callItems = [
    { id: 'run', label: 'The run itself' },
    ...names.map((name, call) => ({ id: String(call), label: `${call + 1} ${name}` })),
  ];
  return (
    <div className={styles.filters}>
      <Choice
        label="Types"
        items={typeItems}
        chosen={filter.types}
        onChange={(keys) => onChange({ ...filter, types: new Set([...keys].map(String)) })}
      />
      <Choice
        label="Calls"
        items={callItems}
        chosen={new Set([...filter.calls].map(String))}
        onChange={(keys) =>
          onChange({ ...filter, calls: new Set([...keys].map((key) => (key === 'run' ? 'run' : Number(key)))) })
        }
      />
      {isFiltered(filter) && (
        <Button size="s" variant="quiet" icon={<X aria-hidden />} onPress={() => onChange(NO_FILTER)}>
          Clear
        </Button>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly items: readonly { readonly id: string; readonly label: string }[];
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (keys: Iterable<Key>) => void;
}

/** Any number of them; none is all. */
function Choice({ label, items, chosen, onChange }: ChoiceProps) {
  const only = chosen.size === 1 ? items.find(({ id }) => chosen.has(id))?.label : undefined;
  return (
    <MenuTrigger>
      <AriaButton className={styles.trigger ?? ''} data-active={chosen.size > 0 || undefined}>
        {label}: {chosen.size === 0 ? 'all' : (only ?? `${chosen.size} chosen`)}
        <ChevronDown aria-hidden />
      </AriaButton>
      <Popover className={styles.popover ?? ''}>
        <Menu
          aria-label={label}
          className={styles.menu ?? ''}
          items={items}
          selectionMode="multiple"
          selectedKeys={chosen}
          onSelectionChange={(keys) => onChange(keys === 'all' ? items.map(({ id }) => id) : keys)}
        >
          {(item) => (
            <MenuItem id={item.id} textValue={item.label} className={styles.item ?? ''}>
              {({ isSelected }) => (
                <>
                  <span aria-hidden className={styles.check}>
                    {isSelected ? '✓' : ''}
                  </span>
                  {item.label}
                </>
              )}
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
