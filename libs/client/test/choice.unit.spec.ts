import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Choice } from '../src/choice.ts';
import { TIMING } from '../src/timing.ts';

describe('a greeting that is late', () => {
  const lateGreeting = () => {
    const answer = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const onBlocked = vi.fn();
    const choice = new Choice({
      timing: { ...TIMING, slowGreetingMs: 1 },
      mayStepDown: true,
      random: () => 0,
      isOn: () => true,
      isOnSocket: () => true,
      isDialling: () => true,
      hurry: () => {},
      reach: () => {
        asked.resolve();
        return answer.promise;
      },
      onBlocked,
      onHeld: () => {},
    });
    onTestFinished(() => choice.stop());
    choice.dialled();
    return { choice, asked: asked.promise, answer: answer.resolve, onBlocked };
  };

  it('shows that sockets are blocked, if requests get through', async () => {
    const { asked, answer, onBlocked } = lateGreeting();
    await asked;
    expect(onBlocked).not.toHaveBeenCalled();
    answer(true);
    await vi.waitFor(() => expect(onBlocked).toHaveBeenCalledTimes(1));
  });

  it('shows nothing of the attempt after it', async () => {
    const { choice, asked, answer, onBlocked } = lateGreeting();
    await asked;
    choice.lost({ byService: true, lastedMs: undefined });
    choice.dialled();
    choice.opened();
    answer(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(onBlocked).not.toHaveBeenCalled();
  });
});
