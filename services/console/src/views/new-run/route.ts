import { getRouteApi } from '@tanstack/react-router';

export const newRunRoute = getRouteApi('/new');
