// Tables with captions, and lists that page by cursor.
import {t} from '../lib/i18n.js';
import {Button, Loading} from './controls.js';
import {html, useEffect, useRef, useState} from './html.js';
import {ProblemNotice, toast} from './messages.js';

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => any} cell
 * @property {'number' | 'actions' | 'main' | 'wide'} [kind]  main: the header of its row
 */

/**
 * On narrow screens a row becomes a block, with the titles of its columns beside the values.
 *
 * @param {{caption: string, columns: Column<any>[], rows: any[], id: (row: any) => string, showCaption?: boolean}}
 *     props
 */
export function Table({caption, columns, rows, id, showCaption}) {
    const cell = (/** @type {Column<any>} */ column, /** @type {any} */ row) =>
        column.kind === 'main' ? html`<th scope="row" class="main">${column.cell(row)}</th>` :
            html`<td class=${column.kind} data-title=${column.title}>${column.cell(row)}</td>`;
    return html`<div class="table-frame"><table>
        <caption class=${showCaption ? '' : 'hidden'}>${caption}</caption>
        <thead><tr>${columns.map(column => html`<th scope="col" class=${column.kind}>${column.kind === 'actions' ?
            html`<span class="hidden">${column.title}</span>` : column.title}</th>`)}</tr></thead>
        <tbody>${rows.map(row => html`<tr key=${id(row)}>${columns.map(column => cell(column, row))}</tr>`)}</tbody>
    </table></div>`;
}

/**
 * What is announced when another filter has changed the rows: how many there are. Nothing of the first rows, which the
 * heading of the screen introduces.
 *
 * @param {import('./session.js').List} list
 */
function useFound(list) {
    const [text, setText] = useState('');
    const {rows, key} = list;
    const before = useRef(/** @type {string | null} */ (null));
    useEffect(() => {
        if (!rows)
            return;
        if (before.current && before.current !== key)
            setText(t(list.hasMore && list.total === undefined ? 'common.found_more' : 'common.found',
                {count: list.total ?? rows.length}));
        before.current = key;
    }, [key, rows === null]);
    return text;
}

/**
 * A table of a list (`useList`): loading, errors, emptiness, and a button for the next page.
 *
 * @param {{list: import('./session.js').List, caption: string, columns: Column<any>[], id: (row: any) => string,
 *     empty: any}} props
 */
export function ListTable({list, caption, columns, id, empty}) {
    const before = useRef(0);
    const count = list.rows?.length ?? 0;
    useEffect(() => {
        if (before.current && count > before.current)
            toast(t('common.loaded', {count: count - before.current}));
        before.current = list.hasMore || count > before.current ? count : 0;
    }, [count, list.hasMore]);
    const found = useFound(list);
    const status = html`<p class="hidden" role="status">${found}</p>`;
    if (list.problem && !list.rows)
        return html`${status}<${ProblemNotice} problem=${list.problem} retry=${list.reload} />`;
    if (!list.rows)
        return html`${status}<${Loading} />`;
    if (!list.rows.length)
        return html`${status}${empty}`;
    return html`${status}<${Table} caption=${caption} columns=${columns} rows=${list.rows} id=${id} />
        ${list.problem && html`<${ProblemNotice} problem=${list.problem} retry=${list.more} />`}
        <p class="list-end">
            <span class="muted">${list.total === undefined ? t('common.rows', {count}) :
                t('common.rows_of', {shown: count, count: Math.max(list.total, count)})}</span>
            ${list.hasMore && html`<${Button} small busy=${list.isLoading} onClick=${list.more}>
                ${t('common.load_more')}<//>`}
        </p>`;
}
