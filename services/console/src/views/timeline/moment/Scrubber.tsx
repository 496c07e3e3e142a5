import {
  ChevronFirst,
  ChevronLast,
  ChevronLeft,
  ChevronRight,
  type LucideIcon,
  Pause,
  Play,
  SkipBack,
  SkipForward,
} from 'lucide-react';
import { memo, useCallback, useEffect, useRef } from 'react';
import { Label, Slider, SliderThumb, SliderTrack } from 'react-aria-components';
import { count } from '../../../format/index.ts';
import { IconButton, Select } from '../../../ui/index.ts';
import { sinceStart } from '../model/elapsed.ts';
import type { EventHistory } from '../model/event-history.ts';
import { nextMoment, previousMoment } from '../model/moments.ts';
import { typeWord } from '../model/words.ts';
import type { Moment } from '../use-moment.ts';
import { type Playback, SPEEDS, type Speed } from '../use-playback.ts';
import styles from './Moment.module.css';

export interface ScrubberProps {
  readonly history: EventHistory;
  readonly moment: Moment;
  readonly playback: Playback;
}

const STEPS = {
  first: () => 0,
  back: (at, { notable }) => previousMoment(notable, at),
  previous: (at) => at - 1,
  next: (at) => at + 1,
  on: (at, { notable }) => nextMoment(notable, at),
  last: (_, { length }) => length - 1,
} satisfies Record<string, (at: number, history: EventHistory) => number | undefined>;
type Step = keyof typeof STEPS;

const ICONS: Readonly<Record<Step, LucideIcon>> = {
  first: ChevronFirst,
  back: SkipBack,
  previous: ChevronLeft,
  next: ChevronRight,
  on: SkipForward,
  last: ChevronLast,
};

const SPEED_OPTIONS = SPEEDS.map((speed) => ({ id: String(speed), label: `${speed}×` }));

/** Event by event, from one step of the life to the next, or played through. */
export function Scrubber({ history, moment, playback }: ScrubberProps) {
  const last = history.length - 1;
  const at = moment.index ?? last;
  const latest = useRef({ history, moment, playback, at });
  useEffect(() => {
    latest.current = { history, moment, playback, at };
  });
  const go = useCallback((to: Step | number) => {
    const now = latest.current;
    const index = typeof to === 'number' ? to : STEPS[to](now.at, now.history);
    if (index === undefined) return;
    now.playback.stop();
    now.moment.go(Math.min(Math.max(index, 0), now.history.length - 1));
  }, []);
  const { columns } = history;
  const call = columns.call(at);
  return (
    <div className={styles.scrubber}>
      <div className={styles.buttons}>
        <StepButton to="first" label="First event" isDisabled={at === 0} onStep={go} />
        <StepButton to="back" label="Previous step of the run or of a call" isDisabled={at === 0} onStep={go} />
        <StepButton to="previous" label="Previous event" isDisabled={at === 0} onStep={go} />
        <IconButton
          label={playback.playing ? 'Stop' : 'Play the run'}
          variant="secondary"
          icon={playback.playing ? <Pause /> : <Play />}
          isDisabled={last < 1}
          onPress={playback.playing ? playback.stop : playback.play}
        />
        <StepButton to="next" label="Next event" isDisabled={at === last} onStep={go} />
        <StepButton to="on" label="Next step of the run or of a call" isDisabled={at === last} onStep={go} />
        <StepButton to="last" label="Last event" isDisabled={at === last} onStep={go} />
        <div className={styles.speed}>
          <Select
            label="Speed"
            options={SPEED_OPTIONS}
            value={String(playback.speed)}
            onChange={(speed) => playback.setSpeed(Number(speed) as Speed)}
          />
        </div>
      </div>
      <Slider
        className={styles.slider ?? ''}
        minValue={1}
        maxValue={last + 1}
        value={at + 1}
        onChange={(value) => go(value - 1)}
        isDisabled={last < 1}
      >
        <div className={styles.sliderWords}>
          <Label className={styles.sliderLabel ?? ''}>Event</Label>
          <output className={styles.sliderOutput} data-testid="timeline-position">
            {count(at + 1)} of {count(last + 1)} · {sinceStart(columns.time(at), columns.time(0))} ·{' '}
            {typeWord(columns.type(at))}
            {call === undefined ? '' : ` · call ${call + 1}`}
          </output>
        </div>
        <SliderTrack className={styles.track ?? ''}>
          {({ state }) => (
            <>
              <div className={styles.rail} />
              <div className={styles.done} style={{ width: `${state.getThumbPercent(0) * 100}%` }} />
              <SliderThumb className={styles.thumb ?? ''} />
            </>
          )}
        </SliderTrack>
      </Slider>
    </div>
  );
}

interface StepButtonProps {
  readonly to: Step;
  readonly label: string;
  readonly isDisabled: boolean;
  readonly onStep: (to: Step) => void;
}

const StepButton = memo(function StepButton({ to, label, isDisabled, onStep }: StepButtonProps) {
  const Icon = ICONS[to];
  return <IconButton size="s" label={label} icon={<Icon />} isDisabled={isDisabled} onPress={() => onStep(to)} />;
});
