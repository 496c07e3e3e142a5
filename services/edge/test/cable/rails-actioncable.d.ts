declare module '@rails/actioncable' {
  export interface Subscription {
    readonly identifier: string;
    perform(action: string, data?: object): boolean;
    unsubscribe(): void;
  }
  export interface Consumer {
    readonly subscriptions: { create(params: object, mixin: object): Subscription };
    readonly connection: {
      readonly webSocket: unknown;
      readonly monitor: { isRunning(): boolean };
      isOpen(): boolean;
    };
    connect(): void;
    disconnect(): void;
    addSubProtocol(name: string): void;
  }
  export const adapters: { WebSocket: unknown; logger: unknown };
  export const ConnectionMonitor: { staleThreshold: number };
  export function createConsumer(url: string | (() => string)): Consumer;
}
