import type { RunStatus, ToolStatus } from '@toolstream/proto-events';
import {
  Ban,
  CheckCircle2,
  CircleDashed,
  CircleSlash,
  Clock,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  PauseCircle,
  RotateCcw,
  SkipForward,
  UserRoundCheck,
  XCircle,
} from 'lucide-react';

export type AnyStatus = RunStatus | ToolStatus;
/** The family of colours in `tokens.css`. */
export type Tone = 'ok' | 'bad' | 'warn' | 'busy' | 'held' | 'still';

export interface StatusLook {
  readonly word: string;
  readonly tone: Tone;
  readonly Icon: LucideIcon;
  /** It is under way: the icon turns where motion is welcome. */
  readonly turns?: true;
}

/** The one place that says how a status looks: a word, an icon and a tone. */
export const statusLook: Readonly<Record<AnyStatus, StatusLook>> = {
  accepted: { word: 'Accepted', tone: 'still', Icon: CircleDashed },
  running: { word: 'Running', tone: 'busy', Icon: LoaderCircle, turns: true },
  paused: { word: 'Paused', tone: 'held', Icon: PauseCircle },
  cancelling: { word: 'Cancelling', tone: 'warn', Icon: Hourglass },
  succeeded: { word: 'Succeeded', tone: 'ok', Icon: CheckCircle2 },
  failed: { word: 'Failed', tone: 'bad', Icon: XCircle },
  cancelled: { word: 'Cancelled', tone: 'still', Icon: Ban },
  pending: { word: 'Pending', tone: 'still', Icon: CircleDashed },
  queued: { word: 'Queued', tone: 'still', Icon: Clock },
  awaiting_approval: { word: 'Needs approval', tone: 'warn', Icon: UserRoundCheck },
  retrying: { word: 'Retrying', tone: 'warn', Icon: RotateCcw },
  skipped: { word: 'Skipped', tone: 'still', Icon: SkipForward },
  denied: { word: 'Denied', tone: 'bad', Icon: CircleSlash },
};
