-- wrk script: sends the keys of a file in a cycle; prints requests, microseconds and failures in one line.
--
--   wrk … -s keys.lua URL -- FILE     FILE has one key per line

local requests, index = {}, 0

function init(arguments)
    for key in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", nil, {["Authorization"] = "Bearer " .. key})
    end
end

function request()
    index = index % #requests + 1
    return requests[index]
end

function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("run %d %d %d\n", summary.requests, summary.duration, failed))
end
