import { Button, ErrorNotice, Page } from '../ui/index.ts';

/** A view that threw, or whose part of the page could not be loaded (a new version was installed meanwhile). */
export function ViewError({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  return (
    <Page
      title="This view stopped"
      lead="Runs are not touched by what happens on this page."
      actions={
        <Button variant="primary" onPress={() => window.location.reload()}>
          Reload the page
        </Button>
      }
    >
      <ErrorNotice error={error} onRetry={reset} />
    </Page>
  );
}
