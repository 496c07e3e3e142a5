import { ChevronFirst, ChevronLast, ChevronLeft, ChevronRight, Pause, Play, SkipBack, SkipForward } from 'lucide-react';
import { Label, Slider, SliderThumb, SliderTrack } from 'react-aria-components';
import { count } from '../../../format/index.ts';
import { IconButton, Select } from '../../../ui/index.ts';
import type { EventHistory } from '../model/event-history.ts';
import { nextMoment, previousMoment } from '../model/moments.ts';
import { typeWord } from '../model/words.ts';
import type { Moment } from '../use-moment.ts';
import { type Playback, SPEEDS, type Speed } from '../use-playback.ts';
import { since } from './Banner.tsx';
import styles from './Moment.module.css';

export interface ScrubberProps {
  readonly history: EventHistory;
  readonly moment: Moment;
  readonly playback: Playback;
}

const SPEED_OPTIONS = SPEEDS.map((speed) => ({ id: String(speed), label: `${speed}×` }));

/** Event by event, from one step of the life to the next, or played through. */
export function Scrubber({ history, moment, playback }: ScrubberProps) {
  const last = history.length - 1;
  const at = moment.index ?? last;
  const go = (index: number | undefined) => {
    if (index === undefined) return;
    playback.stop();
    moment.go(Math.min(Math.max(index, 0), last));
  };
  const call = history.columns.call(at);
  return (
    <div className={styles.scrubber}>
      <div className={styles.buttons}>
        <IconButton size="s" label="First event" icon={<ChevronFirst />} isDisabled={at === 0} onPress={() => go(0)} />
        <IconButton
          size="s"
          label="Previous step of the run or of a call"
          icon={<SkipBack />}
          isDisabled={at === 0}
          onPress={() => go(previousMoment(history.notable, at))}
        />
        <IconButton
          size="s"
          label="Previous event"
          icon={<ChevronLeft />}
          isDisabled={at === 0}
          onPress={() => go(at - 1)}
        />
        <IconButton
          label={playback.playing ? 'Stop' : 'Play the run'}
          variant="secondary"
          icon={playback.playing ? <Pause /> : <Play />}
          isDisabled={last < 1}
          onPress={playback.playing ? playback.stop : playback.play}
        />
        <IconButton
          size="s"
          label="Next event"
          icon={<ChevronRight />}
          isDisabled={at === last}
          onPress={() => go(at + 1)}
        />
        <IconButton
          size="s"
          label="Next step of the run or of a call"
          icon={<SkipForward />}
          isDisabled={at === last}
          onPress={() => go(nextMoment(history.notable, at))}
        />
        <IconButton
          size="s"
          label="Last event"
          icon={<ChevronLast />}
          isDisabled={at === last}
          onPress={() => go(last)}
        />
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
            {count(at + 1)} of {count(last + 1)} · {since(history, at)} · {typeWord(history.columns.type(at))}
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
