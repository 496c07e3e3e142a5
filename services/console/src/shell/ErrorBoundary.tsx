import { Component, type ReactNode } from 'react';
import { ViewError } from './ViewError.tsx';

interface State {
  readonly error: Error | undefined;
}

/** A view that fails takes nothing else with it. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = { error: undefined };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return <ViewError error={error} reset={() => this.setState({ error: undefined })} />;
  }
}
