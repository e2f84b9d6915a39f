// The journey of support/journey.mjs by mouse.
import {Mouse} from './support/drivers.mjs';
import {journey} from './support/journey.mjs';

journey(Mouse);
