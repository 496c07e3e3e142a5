import { ArrowLeft, ArrowRight, ChartGantt, Maximize2, Table2, ZoomIn, ZoomOut } from 'lucide-react';
import { memo, type ReactNode } from 'react';
import { ToggleButton, ToggleButtonGroup } from 'react-aria-components';
import { IconButton } from '../../../ui/index.ts';
import type { Axis } from '../use-viewport.ts';
import styles from './Toolbar.module.css';

export interface ToolbarProps {
  readonly axis: Axis;
  readonly table: boolean;
  readonly onTable: (table: boolean) => void;
  readonly actions: ReactNode;
}

export const Toolbar = memo(function Toolbar({ axis, table, onTable, actions }: ToolbarProps) {
  return (
    <div className={styles.toolbar}>
      <ToggleButtonGroup
        aria-label="How to show it"
        className={styles.group ?? ''}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[table ? 'table' : 'bars']}
        onSelectionChange={(keys) => onTable(keys.has('table'))}
      >
        <ToggleButton id="bars" className={styles.toggle ?? ''}>
          <ChartGantt aria-hidden /> Bars
        </ToggleButton>
        <ToggleButton id="table" className={styles.toggle ?? ''}>
          <Table2 aria-hidden /> Table
        </ToggleButton>
      </ToggleButtonGroup>
      {!table && (
        <div className={styles.zoom}>
          <IconButton size="s" label="Zoom in" icon={<ZoomIn />} onPress={() => axis.zoom(0.5)} />
          <IconButton
            size="s"
            label="Zoom out"
            icon={<ZoomOut />}
            isDisabled={axis.fitted}
            onPress={() => axis.zoom(2)}
          />
          <IconButton
            size="s"
            label="Earlier"
            icon={<ArrowLeft />}
            isDisabled={axis.fitted}
            onPress={() => axis.pan(-0.5)}
          />
          <IconButton
            size="s"
            label="Later"
            icon={<ArrowRight />}
            isDisabled={axis.fitted}
            onPress={() => axis.pan(0.5)}
          />
          <IconButton
            size="s"
            label="Show everything"
            icon={<Maximize2 />}
            isDisabled={axis.fitted}
            onPress={axis.fit}
          />
        </div>
      )}
      <div className={styles.actions}>{actions}</div>
    </div>
  );
});
