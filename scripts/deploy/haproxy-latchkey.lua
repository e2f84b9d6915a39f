-- Forward authentication for HAProxy: checks the credential of a request with Latchkey, then either adds the
-- identity headers for the application or returns Latchkey's refusal. Uses only HAProxy's built-in Lua API.
local server = "http://" .. os.getenv("LATCHKEY")
local identity_headers = {"x-user-id", "x-workspace-id", "x-role", "x-scopes", "x-credential-id"}
local refusal_headers = {
    "www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "content-type", "x-request-id"
}

local function refuse(txn, status, body, headers)
    local reply = txn:reply()
    reply:set_status(status)
    for name, value in pairs(headers) do
        reply:add_header(name, value)
    end
    reply:set_body(body)
    txn:done(reply)
end

core.register_action("latchkey", {"http-req"}, function(txn, path)
    local headers_sent = {["x-forwarded-for"] = {txn.sf:src()}}
    local credentials = txn.http:req_get_headers()["authorization"]
    if credentials then
        if credentials[1] then
            return refuse(txn, 400, "", {})
        end
        headers_sent["authorization"] = {credentials[0]}
    end
    local answer = core.httpclient():get{url = server .. path, headers = headers_sent, timeout = 5000}
    if not answer or answer.status == 0 then
        return refuse(txn, 503, "", {["retry-after"] = "1"})
    end
    if answer.status ~= 200 then
        local headers = {}
        for _, name in ipairs(refusal_headers) do
            if answer.headers[name] then
                headers[name] = answer.headers[name][0]
            end
        end
        return refuse(txn, answer.status, answer.body or "", headers)
    end
    for _, name in ipairs(identity_headers) do
        local value = answer.headers[name]
        if value and value[0] ~= "" then
            txn.http:req_set_header(name, value[0])
        end
    end
end, 1)
