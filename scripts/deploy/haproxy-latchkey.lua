-- Forward authentication for HAProxy: asks Latchkey about the request's credential, and either tells the application who is
-- calling or answers with the refusal as it came. Needs nothing but HAProxy's own Lua.
local server = "http://" .. os.getenv("LATCHKEY")
local told = {"x-user-id", "x-workspace-id", "x-role", "x-scopes", "x-credential-id"}
local passed_on = {"www-authenticate", "retry-after", "ratelimit", "ratelimit-policy", "content-type", "x-request-id"}

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
    local question = {["x-forwarded-for"] = {txn.sf:src()}}
    local credentials = txn.http:req_get_headers()["authorization"]
    if credentials then
        if credentials[1] then
            return refuse(txn, 400, "", {})
        end
        question["authorization"] = {credentials[0]}
    end
    local answer = core.httpclient():get{url = server .. path, headers = question, timeout = 5000}
    if not answer or answer.status == 0 then
        return refuse(txn, 503, "", {["retry-after"] = "1"})
    end
    if answer.status ~= 200 then
        local headers = {}
        for _, name in ipairs(passed_on) do
            if answer.headers[name] then
                headers[name] = answer.headers[name][0]
            end
        end
        return refuse(txn, answer.status, answer.body or "", headers)
    end
    for _, name in ipairs(told) do
        local value = answer.headers[name]
        if value and value[0] ~= "" then
            txn.http:req_set_header(name, value[0])
        end
    end
end, 1)
