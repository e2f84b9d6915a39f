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

constexpr int enough = 20;

/** Ids, prefixes and queries are no difference. */
std::string shape_of(std::string_view target)
{
    std::string out;
    for (char c : target.substr(0, target.find('?')))
        if (c < '0' || c > '9')
            out.push_back(c >= 'a' && c <= 'f' ? 'x' : c);
    return out;
}

class keeper {
public:
    explicit keeper(const std::string& folder)
        : file_(folder + "/" + std::to_string(getpid()) + ".jsonl", std::ios::app)
    {}

    void keep(const http::request<http::string_body>& asked, const response& answer)
    {
        std::scoped_lock lock(mutex_);
        std::string method(asked.method_string()), target(asked.target());
        auto shape = method + shape_of(target) + std::to_string(answer.status) + answer.code();
        if (++seen_[shape] > enough)
            return;
        boost::json::object line{{"method", method},
                                 {"target", target},
                                 {"status", answer.status},
                                 {"content_type", answer.header("Content-Type")}};
        if (answer.header("Content-Type") == "application/json" && asked.method() != http::verb::head)
            line["body"] = answer.body;
        file_ << boost::json::serialize(line) << '\n' << std::flush;
    }

private:
    std::mutex mutex_; // some tests have a client in each of several threads
    std::map<std::string, int> seen_;
    std::ofstream file_;
};

} // namespace

void keep_exchange(const http::request<http::string_body>& asked, const response& answer)
{
    static const char* folder = std::getenv("LATCHKEY_TEST_EXCHANGES");
    if (!folder || answer.header("X-Request-Id").empty())
        return;
    static keeper all(folder);
    all.keep(asked, answer);
}

} // namespace support
