// A server that speaks TLS, and what its metrics and log say of the handshakes.
#pragma once

#include "tests/support/certificate.hpp"
#include "tests/support/database.hpp"
#include "tests/support/server.hpp"
#include "tests/support/tls_client.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace e2e {

struct tls_fixture {
    explicit tls_fixture(support::environment more = {}) : server(db.conninfo(), settings(std::move(more))) {}

    support::environment settings(support::environment more) const
    {
        more.emplace_back("LATCHKEY_TLS_CERT", own.cert());
        more.emplace_back("LATCHKEY_TLS_KEY", own.key());
        more.emplace_back("LATCHKEY_ADMIN_LISTEN", "127.0.0.1:0");
        return more;
    }

    /// A number in the metrics.
    double metric(const std::string& name)
    {
        support::http_client admin(server.admin_port());
        admin.skip_recording();
        auto text = admin.get("/metrics").body;
        auto at = text.find("\n" + name + " ");
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
    }

    /// Wait until so many handshakes failed for a reason: each core publishes its counts twice a second.
    bool has_failures(const std::string& reason, double count)
    {
        auto name = "latchkey_tls_handshake_failures_total{reason=\"" + reason + "\"}";
        return support::eventually([&] { return metric(name) >= count; });
    }

    support::certificate own;
    support::database db;
    support::running_server server;
};

} // namespace e2e
