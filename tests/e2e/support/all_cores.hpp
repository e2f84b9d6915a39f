// The same question to every core, and several questions at the same instant.
#pragma once

#include "tests/e2e/support/response_helpers.hpp"
#include "tests/e2e/support/signed_up.hpp"

#include <barrier>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace flows {

using question = std::function<support::response(support::http_client&)>;

inline question to_get(const std::string& path, const std::string& token)
{
    return [=](support::http_client& client) { return client.get(base + path, token); };
}

inline question to_post(const std::string& path, const std::string& body, const std::string& token = {})
{
    return [=](support::http_client& client) { return client.post(base + path, body, token); };
}

inline question to_patch(const std::string& path, const std::string& body, const std::string& token)
{
    return [=](support::http_client& client) { return client.patch(base + path, body, token); };
}

inline question to_delete(const std::string& path, const std::string& token)
{
    return [=](support::http_client& client) { return client.del(base + path, token); };
}

/// An answer in short: "200", "403 forbidden_scope".
inline std::string verdict(const support::response& answer)
{
    auto code = answer.code();
    return std::to_string(answer.status) + (code.empty() ? "" : " " + code);
}

/// The verdicts, each once, of many new connections: whichever core is asked.
inline std::string everywhere(const support::running_server& server, const question& ask)
{
    std::set<std::string> out;
    for (int i = 0; i < 16; ++i) {
        support::http_client client(server.port());
        out.insert(verdict(ask(client)));
    }
    return join({out.begin(), out.end()}, ", ");
}

/// The answers to questions that are asked at the same instant, each on a connection that is open before.
inline std::vector<support::response> at_once(const support::running_server& server,
                                              const std::vector<question>& all)
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

/// The verdicts of several answers, sorted: "200, 409 conflict".
inline std::string verdicts(const std::vector<support::response>& answers)
{
    std::vector<std::string> out;
    for (auto& answer : answers)
        out.push_back(verdict(answer));
    std::ranges::sort(out);
    return join(out, ", ");
}

} // namespace flows
