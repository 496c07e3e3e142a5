declare module '@rails/actioncable' {
  export interface Subscription {
    readonly identifier: string;
    perform(action: string, data?: object): boolean;
    unsubscribe(): void;
  }
  export interface Consumer {
    readonly subscriptions: { create(params: object, mixin: object): Subscription };
    readonly connection: {
      readonly webSocket: { readonly protocol: string; readonly readyState: number };
      readonly monitor: {
        /** In milliseconds, as the clock has them. */
        pingedAt: number;
        disconnectedAt: number;
        isRunning(): boolean;
        reconnectIfStale(): void;
      };
      isOpen(): boolean;
    };
    connect(): void;
    disconnect(): void;
    addSubProtocol(name: string): void;
  }
  export const adapters: { WebSocket: unknown; logger: unknown };
  export function createConsumer(url: string | (() => string)): Consumer;
}
