export { EventsTab } from './EventsTab.tsx';
export { TimelineTab } from './TimelineTab.tsx';
