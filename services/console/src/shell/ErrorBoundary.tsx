import { Component, type ReactNode } from 'react';
import { ViewNotLoaded } from './lazy-view.tsx';
import { ViewError } from './ViewError.tsx';

interface Props {
  /** Another one is another place: what failed before is over. */
  readonly place: string;
  readonly children: ReactNode;
}

interface State {
  readonly error: Error | undefined;
}

/** A view that fails takes nothing else with it. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override componentDidUpdate({ place }: Props): void {
    if (place !== this.props.place && this.state.error !== undefined) this.setState({ error: undefined });
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const again = () => {
      if (error instanceof ViewNotLoaded) error.retry();
      this.setState({ error: undefined });
    };
    return <ViewError error={error} reset={again} />;
  }
}
