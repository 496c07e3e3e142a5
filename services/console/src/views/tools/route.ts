import { getRouteApi } from '@tanstack/react-router';

export const toolsRoute = getRouteApi('/tools');
