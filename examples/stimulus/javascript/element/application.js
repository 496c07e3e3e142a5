import { Application } from '@hotwired/stimulus';
import '@toolstream/react/element';
import ToolstreamRunController from './toolstream_run_controller.js';

Application.start().register('toolstream-run', ToolstreamRunController);
