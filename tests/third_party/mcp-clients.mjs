// Calls the MCP tools with the official clients: over HTTP at {url} with {token}, and over the standard
// streams of `{program} mcp`. Reports {sessions: [{client, version, tools: [name, …], me, minted, revoked,
// refused}, …]}.
import {load, options, report} from './common.mjs';

const v2 = await load('@modelcontextprotocol/client');
const v2Stdio = await load('@modelcontextprotocol/client/stdio');
const v1 = {
    ...await load('@modelcontextprotocol/sdk/client/index.js'),
    ...await load('@modelcontextprotocol/sdk/client/streamableHttp.js'),
};
const url = new URL('/mcp', options.url);
const byHttp = kind => new kind.StreamableHTTPClientTransport(
    url, {requestInit: {headers: {Authorization: `Bearer ${options.token}`}}});
const byStreams = () => new v2Stdio.StdioClientTransport({
    command: options.program,
    args: ['mcp'],
    env: {TENEX_API_KEY: options.token, TENEX_API_BASE: options.url},
});

const name = 'latchkey-test', version = '1.0.0';
const stateless = {versionNegotiation: {mode: 'auto'}};
const transports = {
    'v1 over HTTP': [new v1.Client({name, version}), byHttp(v1)],
    'v2 over HTTP, with a handshake': [new v2.Client({name, version}), byHttp(v2)],
    'v2 over HTTP, stateless': [new v2.Client({name, version}, stateless), byHttp(v2)],
    'v2 over streams, with a handshake': [new v2.Client({name, version}), byStreams()],
    'v2 over streams, stateless': [new v2.Client({name, version}, stateless), byStreams()],
};

const sessions = [];
for (const [label, [client, transport]] of Object.entries(transports)) {
    await client.connect(transport);
    const call = async (tool, args) => await client.callTool({name: tool, arguments: args});
    // After this call the client validates results against the output schemas.
    const {tools} = await client.listTools();
    const me = await call('whoami', {});
    const minted = await call('mint_api_key', {name: label, scopes: ['team:read'], delivery: 'claim_url'});
    const {prefix} = minted.structuredContent;
    const listed = await call('list_api_keys', {limit: 1});
    const revoked = await call('revoke_api_key', {prefix});
    const refused = await call('set_role', {user_id: 'unknown', role: 'king'});
    const team = await call('list_team', {});
    sessions.push({
        client: label, version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? null,
        tools: tools.map(one => one.name),
        me: me.structuredContent, minted: minted.structuredContent, listed: listed.structuredContent,
        revoked: revoked.structuredContent, refused, team: team.structuredContent,
    });
    await client.close();
}
report({sessions});
process.exit();
