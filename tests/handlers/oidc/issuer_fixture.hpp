// Fixture: a scripted OpenID provider on loopback that counts its requests, and a client of it.
#pragma once

#include "handlers/oidc/provider.hpp"
#include "tests/support/io.hpp"
#include "tests/support/rsa.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace handlers::test {

namespace asio = boost::asio;
namespace json = boost::json;
using support::has;
using support::rsa_key;

class issuer {
public:
    issuer() : server_([this](support::tcp_server::socket& peer) { serve(peer); })
    {
        say("/.well-known/openid-configuration",
            support::make_response("200 OK", json::serialize(discovery())));
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }

    json::object discovery() const
    {
        json::object out;
        out["issuer"] = url();
        out["authorization_endpoint"] = url() + "/authorize";
        out["token_endpoint"] = url() + "/token";
        out["jwks_uri"] = url() + "/keys";
        out["revocation_endpoint"] = url() + "/revoke";
        return out;
    }

    void say(const std::string& path, std::string reply, std::chrono::milliseconds delay = {})
    {
        const std::lock_guard guard(lock_);
        pages_[path] = {std::move(reply), delay};
    }

    void say(const std::string& path, const json::object& body)
    {
        say(path, support::make_response("200 OK", json::serialize(body)));
    }

    void discover_as(const json::object& body) { say("/.well-known/openid-configuration", body); }

    void publish(std::initializer_list<json::object> keys, std::string_view headers = {})
    {
        json::array list;
        for (auto& each : keys)
            list.push_back(each);
        auto body = R"({"keys":)" + json::serialize(list) + "}";
        say("/keys", support::make_response("200 OK", body, headers));
    }

    int count(const std::string& path) const
    {
        const std::lock_guard guard(lock_);
        auto found = heard_.find(path);
        return found == heard_.end() ? 0 : found->second.count;
    }

    /// The last request for a path.
    support::received_request last(const std::string& path) const
    {
        const std::lock_guard guard(lock_);
        return heard_.at(path).last;
    }

private:
    struct page {
        std::string reply;
        std::chrono::milliseconds delay;
    };

    struct record {
        int count = 0;
        support::received_request last;
    };

    void serve(support::tcp_server::socket& peer)
    {
        auto request = support::read_request(peer);
        page reply{support::make_response("404 Not Found", ""), {}};
        {
            const std::lock_guard guard(lock_);
            auto path = std::string(request.target());
            if (auto found = pages_.find(path); found != pages_.end())
                reply = found->second;
            auto& heard = heard_[path];
            ++heard.count;
            heard.last = std::move(request);
        }
        std::this_thread::sleep_for(reply.delay);
        boost::asio::write(peer, boost::asio::buffer(reply.reply));
    }

    mutable std::mutex lock_;
    std::map<std::string, page> pages_;
    std::map<std::string, record> heard_;
    support::tcp_server server_; // last member: its threads use all of the above
};

inline const rsa_key& key_of(int number)
{
    static const rsa_key keys[3];
    return keys[number];
}

inline std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// A client of the provider, with its io_context.
struct signing_in {
    signing_in()
    {
        calls.deadline = std::chrono::seconds(2);
        settings.issuer = google.url();
        settings.client_id = "our client";
        settings.client_secret = "s3cr&t/";
        settings.redirect_uri = "https://id.example.com/oauth/google/callback";
        settings.negative_ttl = std::chrono::milliseconds(100);
        google.publish({key_of(0).jwk("zero")});
        google.say("/token", tokens(id_token(0, "zero")));
    }

    json::object payload() const
    {
        json::object out;
        out["iss"] = google.url();
        out["aud"] = "our client";
        out["sub"] = "1234";
        out["iat"] = now();
        out["exp"] = now() + 3600;
        out["nonce"] = "nonce";
        out["email"] = "ada@example.org";
        out["email_verified"] = true;
        return out;
    }

    std::string id_token(int key, std::string_view kid) const
    {
        return key_of(key).token(R"({"alg":"RS256","kid":")" + std::string(kid) + "\"}",
                                 json::serialize(payload()));
    }

    static json::object tokens(const std::string& id_token)
    {
        json::object out;
        out["access_token"] = "ya29.access";
        out["refresh_token"] = "1//refresh";
        out["expires_in"] = 3599;
        out["scope"] = "openid email";
        out["token_type"] = "Bearer";
        out["id_token"] = id_token;
        return out;
    }

    oidc_provider& provider()
    {
        if (!made)
            made.emplace(io.get_executor(), web(), settings);
        return *made;
    }

    handlers::https_client& web()
    {
        if (!client)
            client.emplace(io.get_executor(), calls);
        return *client;
    }

    std::string authorization_url()
    {
        return support::run(
            io, [&] { return provider().authorization_url("state", "nonce", "challenge"); },
            std::chrono::seconds(20));
    }

    oidc_login redeem(std::string nonce = "nonce", std::optional<std::string> iss = {})
    {
        return support::run(
            io, [&] { return provider().redeem("co/de", "verifier", nonce, iss); }, std::chrono::seconds(20));
    }

    bool revoke()
    {
        return support::run(io, [&] { return provider().revoke("to&ken"); }, std::chrono::seconds(20));
    }

    /// The kind of the failure and its cause.
    template <class Work>
    std::string failure_of(Work work)
    {
        constexpr const char* names[] = {"unavailable: ", "refused: ", "invalid_response: "};
        try {
            work();
        } catch (const oidc_failure& e) {
            std::string why = e.what();
            for (auto secret : {"s3cr", "co/de", "co%2Fde", "verifier", "ya29", "refresh\"", "to&ken", "eyJ"})
                BOOST_TEST(!has(why, secret), why);
            return names[static_cast<int>(e.kind())] + why;
        }
        return "none";
    }

    std::string redeem_failure()
    {
        return failure_of([this] { redeem(); });
    }

    issuer google;
    https_client::config calls;
    oidc_provider::config settings;
    asio::io_context io{1};
    std::optional<handlers::https_client> client;
    std::optional<oidc_provider> made;
};

inline const std::string discovery_path = "/.well-known/openid-configuration";

} // namespace handlers::test
