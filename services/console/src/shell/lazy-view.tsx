import type { RouteComponent } from '@tanstack/react-router';
import { type ComponentType, Suspense, use } from 'react';

/** A part of the console that could not be fetched: the network is away, or a much newer build has replaced this page's. */
export class ViewNotLoaded extends Error {
  readonly code = 'view_not_loaded';
  readonly advice = 'Check the network and try again. If Toolstream was updated meanwhile, reload the page.';
  /** Before the view is rendered again: it is fetched anew. */
  readonly retry: () => void;

  constructor(cause: unknown, retry: () => void) {
    super('This view could not be loaded.', { cause });
    this.name = 'ViewNotLoaded';
    this.retry = retry;
  }
}

/**
 * A view that is fetched when it is first wanted: when a link to it is pointed at, or when it is shown. The router's own way to
 * do so reloads the whole page where that fails, which without a network is the end of the page.
 *
 * What is loaded is not a part of the type: the types of routes come from the table of which this is a part, and views use them.
 */
export function lazyView(load: () => Promise<object>, name: string): RouteComponent {
  const part = new Part(async () => (await load())[name as never] as ComponentType);
  return Object.assign(() => <Shown part={part} />, { preload: () => part.preload() });
}

class Part {
  readonly #load: () => Promise<ComponentType>;
  #loading: Promise<ComponentType> | undefined;
  #hasFailed = false;

  constructor(load: () => Promise<ComponentType>) {
    this.#load = load;
  }

  /** The same promise for every rendering, also where it failed: until somebody asks for it anew. */
  get = (): Promise<ComponentType> => {
    this.#loading ??= this.#load().catch((cause: unknown) => {
      this.#hasFailed = true;
      throw new ViewNotLoaded(cause, this.forget);
    });
    return this.#loading;
  };

  forget = (): void => {
    if (this.#hasFailed) this.#loading = undefined;
    this.#hasFailed = false;
  };

  async preload(): Promise<void> {
    this.forget();
    // Whether it failed is seen when the view is shown.
    await this.get().catch(() => {});
  }
}

function Shown({ part }: { readonly part: Part }) {
  return (
    <Suspense fallback={<p role="status">Loading the view…</p>}>
      <Content part={part} />
    </Suspense>
  );
}

function Content({ part }: { readonly part: Part }) {
  const View = use(part.get());
  return <View />;
}
