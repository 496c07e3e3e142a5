import { createRootRoute, createRoute } from '@tanstack/react-router';
import { lazyView } from './shell/lazy-view.tsx';
import { NotFound } from './shell/NotFound.tsx';
import { Shell } from './shell/Shell.tsx';
import { ViewError } from './shell/ViewError.tsx';
import { appSearch } from './views/app/search.ts';
import { deliverySearch } from './views/delivery/search.ts';
import { newRunSearch } from './views/new-run/search.ts';
import { runSearch } from './views/run/search.ts';
import { runsSearch } from './views/runs/search.ts';
import { toolsSearch } from './views/tools/search.ts';

/**
 * One line per view. Views are loaded when they are first opened; only the reading of their part of the address is here.
 * The edge answers the same paths with this page (services/edge/src/handlers/console.ts).
 */
const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: ViewError });
const getParentRoute = () => root;

const runsRoute = createRoute({
  getParentRoute,
  path: '/',
  validateSearch: runsSearch,
  component: lazyView(() => import('./views/runs/index.ts'), 'RunsView'),
});
const runRoute = createRoute({
  getParentRoute,
  path: '/runs/$id',
  validateSearch: runSearch,
  component: lazyView(() => import('./views/run/index.ts'), 'RunView'),
});
const toolsRoute = createRoute({
  getParentRoute,
  path: '/tools',
  validateSearch: toolsSearch,
  component: lazyView(() => import('./views/tools/index.ts'), 'ToolsView'),
});
const deliveryRoute = createRoute({
  getParentRoute,
  path: '/delivery',
  validateSearch: deliverySearch,
  component: lazyView(() => import('./views/delivery/index.ts'), 'DeliveryView'),
});
const appRoute = createRoute({
  getParentRoute,
  path: '/apps/$app',
  validateSearch: appSearch,
  component: lazyView(() => import('./views/app/index.ts'), 'AppView'),
});
const newRunRoute = createRoute({
  getParentRoute,
  path: '/new',
  validateSearch: newRunSearch,
  component: lazyView(() => import('./views/new-run/index.ts'), 'NewRunView'),
});

export const routeTree = root.addChildren([runsRoute, runRoute, appRoute, toolsRoute, deliveryRoute, newRunRoute]);
