import { getRouteApi } from '@tanstack/react-router';

export const appRoute = getRouteApi('/apps/$app');
