import type { Json, RunAddress, RunCommandName, RunCommandRequest } from '@toolstream/proto-events';
import { ensureTraceparent } from '@toolstream/service-kit';
import { requireApp, requireScope } from '../auth/principal.ts';
import { asRefusal, Refusal } from '../problems.ts';
import { commandId } from '../requests/idempotency.ts';
import type { Channel } from './channel.ts';
import { toolDetails } from './details.ts';
import type { CableHost } from './host.ts';

const COMMANDS: Readonly<Record<string, Extract<RunCommandName, 'pause' | 'resume' | 'cancel'>>> = {
  pause_tool_execution: 'pause',
  resume_tool_execution: 'resume',
  cancel_tool_execution: 'cancel',
};
const IN_FLIGHT = 64;

/**
 * What pages ask for through a channel. A command shows by its event, like everybody else's; only where it is refused is
 * the page told, by `action_refused`. Actions of one connection are carried out in the order in which they came.
 */
export class Actions {
  readonly #host: CableHost;
  #last: Promise<void> = Promise.resolve();
  #inFlight = 0;

  constructor(host: CableHost) {
    this.#host = host;
  }

  perform(channel: Channel, action: string, params: Record<string, Json>): void {
    if (this.#inFlight >= IN_FLIGHT) {
      this.refuse(channel.identifier, action, new Refusal('busy'));
      return;
    }
    this.#inFlight++;
    this.#last = this.#last
      .then(() => this.#carryOut(channel, action, params))
      .catch((error: unknown) => {
        const refusal = asRefusal(error);
        if (refusal.code === 'internal') this.#host.fault(error, channel.identifier);
        this.refuse(channel.identifier, action, refusal);
      })
      .finally(() => {
        this.#inFlight--;
      });
  }

  refuse(identifier: string, name: string, { code, message }: Refusal): void {
    if (!this.#host.closed) this.#host.say(identifier, { action: 'action_refused', name, code, message });
  }

  async #carryOut(channel: Channel, action: string, params: Record<string, Json>): Promise<void> {
    if (this.#host.closed) return;
    const command = Object.hasOwn(COMMANDS, action) ? COMMANDS[action] : undefined;
    if (command) return this.#command(channel, command, params);
    if (action !== 'request_tool_details') throw new Refusal('bad_request', `There is no action ${action}.`);
    const { artifacts, reader } = this.#host.services;
    const address = await this.#runOf(channel, params);
    const state = await reader.read(address);
    if (!state) throw new Refusal('not_found', 'There is no such run.');
    const details = await toolDetails(artifacts, state, params.tool_index);
    if (!this.#host.closed) this.#host.say(channel.identifier, details);
  }

  async #command(
    channel: Channel,
    name: 'pause' | 'resume' | 'cancel',
    { reason, ...params }: Record<string, Json>,
  ): Promise<void> {
    const { metrics, orchestrator } = this.#host.services;
    const { principal } = this.#host;
    try {
      requireScope(principal, 'runs:control');
      const { tenant, run } = await this.#runOf(channel, params);
      const request: RunCommandRequest = {
        name,
        tenant,
        run,
        actor: principal.sub,
        traceparent: ensureTraceparent(),
        command_id: commandId(name, undefined, principal.sub, undefined),
        ...(typeof reason === 'string' && reason.length <= 1000 ? { reason } : {}),
      };
      await orchestrator.command(request);
      metrics.command('acked');
    } catch (error) {
      metrics.command('refused');
      throw error;
    }
  }

  /** The channel's run; in an app's channel the one that the page names. */
  async #runOf(channel: Channel, { run_id }: Record<string, Json>): Promise<RunAddress> {
    if (channel.run) return channel.run;
    const { principal, services } = this.#host;
    const { target } = channel;
    if (target.kind !== 'app') throw new Refusal('not_found', 'There is no run yet.');
    if (typeof run_id !== 'string') throw new Refusal('bad_request', 'Say which run: run_id.');
    const address = await services.reader.locate(principal.tenant, run_id);
    if (!address || address.app !== target.app) throw new Refusal('not_found', 'The app has no such run.');
    requireApp(principal, address.app);
    return address;
  }
}
