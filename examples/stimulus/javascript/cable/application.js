import { Application } from '@hotwired/stimulus';
import ToolExecutionController from './tool_execution_controller.js';

Application.start().register('tool-execution', ToolExecutionController);
