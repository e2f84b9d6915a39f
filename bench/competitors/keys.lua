-- For wrk: ask with one key after the other, round and round; tell requests, microseconds and failures in one line.
--
--   wrk … -s keys.lua URL -- FILE     FILE has a key a line

local requests, at = {}, 0

function init(arguments)
    for key in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", nil, {["Authorization"] = "Bearer " .. key})
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("turn %d %d %d\n", summary.requests, summary.duration, failed))
end
