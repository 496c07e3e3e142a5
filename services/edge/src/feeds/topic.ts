import { appSubjects, partitionOfRun, type RunAddress, runSubjects } from '@toolstream/proto-events';

/** What can be watched: one run, or every run of an app. */
export type Topic =
  | { readonly kind: 'run'; readonly run: RunAddress }
  | { readonly kind: 'app'; readonly tenant: string; readonly app: string };

export const topicKey = (topic: Topic): string =>
  topic.kind === 'run' ? `run/${topic.run.tenant}/${topic.run.run}` : `app/${topic.tenant}/${topic.app}`;

/** How frames name it. */
export const topicNames = (topic: Topic): { run: string } | { app: string } =>
  topic.kind === 'run' ? { run: topic.run.run } : { app: topic.app };

export const topicPartitions = (topic: Topic, partitions: number): number[] =>
  topic.kind === 'run' ? [partitionOfRun(topic.run.run)!] : Array.from({ length: partitions }, (_, p) => p);

/** The subjects of its events in one partition's stream. */
export const topicSubjects = (topic: Topic, partition: number): string =>
  topic.kind === 'run' ? runSubjects(topic.run) : appSubjects(partition, topic.tenant, topic.app);
