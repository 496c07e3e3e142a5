import { createRootRoute, createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { NotFound } from './shell/NotFound.tsx';
import { Shell } from './shell/Shell.tsx';
import { ViewError } from './shell/ViewError.tsx';
import { runsSearch } from './views/runs/search.ts';

/**
 * One line per view. Views are loaded when they are first opened; only the reading of their part of the address is here.
 * The edge answers the same paths with this page (services/edge/src/handlers/console.ts).
 */
const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: ViewError });
const getParentRoute = () => root;

export const routeTree = root.addChildren([
  createRoute({
    getParentRoute,
    path: '/',
    validateSearch: runsSearch,
    component: lazyRouteComponent(() => import('./views/runs/index.ts'), 'RunsView'),
  }),
]);
