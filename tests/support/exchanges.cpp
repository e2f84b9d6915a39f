#include "tests/support/exchanges.hpp"

#include <boost/json/serialize.hpp>

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>

namespace support {

namespace {

constexpr int enough_repetitions = 20;

/// A path without its query, ids and prefixes.
std::string shape_of(std::string_view target)
{
    std::string out;
    for (char c : target.substr(0, target.find('?')))
        if (c < '0' || c > '9')
            out.push_back(c >= 'a' && c <= 'f' ? 'x' : c);
    return out;
}

class recorder {
public:
    explicit recorder(const std::string& folder)
        : file_(folder + "/" + std::to_string(getpid()) + ".jsonl", std::ios::app)
    {}

    void record(const http::request<http::string_body>& request, const response& answer)
    {
        std::scoped_lock lock(mutex_);
        std::string method(request.method_string()), target(request.target());
        auto shape = method + shape_of(target) + std::to_string(answer.status) + answer.code();
        if (++seen_[shape] > enough_repetitions)
            return;
        boost::json::object line{{"method", method},
                                 {"target", target},
                                 {"status", answer.status},
                                 {"content_type", answer.header("Content-Type")}};
        if (answer.header("Content-Type") == "application/json" && request.method() != http::verb::head)
            line["body"] = answer.body;
        file_ << boost::json::serialize(line) << '\n' << std::flush;
    }

private:
    /// Some tests have clients in several threads.
    std::mutex mutex_;
    std::map<std::string, int> seen_;
    std::ofstream file_;
};

} // namespace

void record_exchange(const http::request<http::string_body>& request, const response& answer)
{
    static const char* folder = std::getenv("LATCHKEY_TEST_EXCHANGES");
    if (!folder || answer.header("X-Request-Id").empty())
        return;
    static recorder all(folder);
    all.record(request, answer);
}

} // namespace support
