// The same api_request to every core, and several questions at the same instant.
#pragma once

#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <barrier>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace e2e {

/// Settings for tests of races: more transactions run at the same instant than on the default two cores.
inline const support::environment four_cores{{"LATCHKEY_THREADS", "4"}};

using api_request = std::function<support::response(support::http_client&)>;

inline api_request get_request(const std::string& path, const std::string& token)
{
    return [=](support::http_client& client) { return client.get(base + path, token); };
}

inline api_request post_request(const std::string& path, const std::string& body,
                                const std::string& token = {})
{
    return [=](support::http_client& client) { return client.post(base + path, body, token); };
}

inline api_request patch_request(const std::string& path, const std::string& body, const std::string& token)
{
    return [=](support::http_client& client) { return client.patch(base + path, body, token); };
}

inline api_request delete_request(const std::string& path, const std::string& token)
{
    return [=](support::http_client& client) { return client.del(base + path, token); };
}

/// Status and error code of a response: "200", "403 forbidden_scope".
inline std::string summary(const support::response& answer)
{
    auto code = answer.code();
    return std::to_string(answer.status) + (code.empty() ? "" : " " + code);
}

/// The distinct summaries over 16 new connections, which the kernel spreads over all cores.
inline std::string on_all_cores(const support::running_server& server, const api_request& send)
{
    std::set<std::string> out;
    for (int i = 0; i < 16; ++i) {
        support::http_client client(server.port());
        out.insert(summary(send(client)));
    }
    return join({out.begin(), out.end()}, ", ");
}

/// Send requests at the same instant, each on a connection that is already open. @return the responses, in
/// order
inline std::vector<support::response> send_concurrently(const support::running_server& server,
                                                        const std::vector<api_request>& all)
{
    std::vector<support::response> answers(all.size());
    std::barrier ready(static_cast<std::ptrdiff_t>(all.size()));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < all.size(); ++i)
        threads.emplace_back([&, i] {
            support::http_client client(server.port());
            client.get("/healthz");
            ready.arrive_and_wait();
            answers[i] = all[i](client);
        });
    for (auto& thread : threads)
        thread.join();
    return answers;
}

/// The summaries of several responses, sorted: "200, 409 conflict".
inline std::string summaries(const std::vector<support::response>& answers)
{
    std::vector<std::string> out;
    for (auto& answer : answers)
        out.push_back(summary(answer));
    std::ranges::sort(out);
    return join(out, ", ");
}

} // namespace e2e
