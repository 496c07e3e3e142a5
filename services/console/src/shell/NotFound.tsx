import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Card, EmptyState, Page } from '../ui/index.ts';

export function NotFound() {
  return (
    <Page title="There is no such page">
      <Card>
        <EmptyState title="Nothing is at this address" icon={<Compass />} action={<Link to="/">Go to all runs</Link>}>
          Check the address, or start from the list of runs.
        </EmptyState>
      </Card>
    </Page>
  );
}
