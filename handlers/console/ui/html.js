// Preact with tagged templates instead of JSX: no compiler, and elements are never made from text.
import {h} from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export const html = htm.bind(h);
export {Fragment, createContext, render} from '../vendor/preact.js';
export {useCallback, useContext, useEffect, useId, useLayoutEffect, useMemo, useRef, useState}
    from '../vendor/hooks.js';
