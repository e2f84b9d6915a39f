#include "bench/scenarios/scenarios.hpp"

#include "bench/load/failure.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

namespace bench {

namespace {

constexpr std::string_view base_path = "/api/v1/users";

url endpoint(url server, std::string_view path)
{
    server.target = std::string(base_path).append(path);
    return server;
}

using random_source = std::mt19937_64;

/// Prepared requests in a cycle.
class rotation : public request_source {
public:
    rotation(std::shared_ptr<const std::vector<std::string>> requests, std::size_t kind, std::size_t first,
             std::size_t stride)
        : requests_(std::move(requests)), kind_(kind), at_(first % requests_->size()), stride_(stride)
    {}

    std::optional<request> next() override
    {
        auto& bytes = (*requests_)[at_];
        at_ = (at_ + stride_) % requests_->size();
        return request{bytes, kind_};
    }

private:
    std::shared_ptr<const std::vector<std::string>> requests_;
    std::size_t kind_, at_, stride_;
};

request_source_factory rotate(std::vector<std::string> requests, std::size_t kind = 0)
{
    auto shared = std::make_shared<const std::vector<std::string>>(std::move(requests));
    return [shared, kind](std::size_t thread, std::size_t threads) {
        return std::make_unique<rotation>(shared, kind, thread, threads);
    };
}

/// Picks the index of the next key: nothing when all are used.
using key_picker = std::function<std::optional<std::size_t>()>;

key_picker pick_uniformly(std::size_t first, std::size_t count, std::size_t thread)
{
    return [random = random_source(thread),
            from = std::uniform_int_distribution(first, first + count - 1)]() mutable {
        return std::optional(from(random));
    };
}

key_picker pick_once(std::size_t first, std::size_t end, std::size_t stride)
{
    return [at = first, end, stride]() mutable -> std::optional<std::size_t> {
        if (at >= end)
            return {};
        return std::exchange(at, at + stride);
    };
}

/** Zipf's law with exponent 0.99, the usual one for caches (YCSB), by the method of Gray et al., "Quickly
    generating billion-record synthetic databases" (SIGMOD 1994): no table, at most two powers per pick. */
class zipf {
public:
    explicit zipf(std::size_t count) : count_(static_cast<double>(count))
    {
        for (std::size_t i = 1; i <= count; ++i)
            sum_ += std::pow(static_cast<double>(i), -exponent);
        double first_two = 1 + std::pow(0.5, exponent);
        eta_ = (1 - std::pow(2 / count_, 1 - exponent)) / (1 - first_two / sum_);
    }

    template <class Random>
    std::size_t operator()(Random& random) const
    {
        double u = std::generate_canonical<double, 53>(random);
        if (u * sum_ < 1)
            return 0;
        if (u * sum_ < 1 + std::pow(0.5, exponent))
            return std::min<std::size_t>(1, static_cast<std::size_t>(count_) - 1);
        double rank = count_ * std::pow(eta_ * u - eta_ + 1, 1 / (1 - exponent));
        return static_cast<std::size_t>(std::clamp(rank, 0.0, count_ - 1));
    }

private:
    static constexpr double exponent = 0.99;
    double count_, sum_ = 0, eta_ = 0;
};

/// A request with an API key that is overwritten in place each time.
class key_check : public request_source {
public:
    key_check(const url& server, const key_set& keys, key_picker pick, std::size_t kind)
        : keys_(keys), pick_(std::move(pick)), kind_(kind)
    {
        std::string credential = "Bearer " + std::string(key_set::key_size, 'k');
        header authorization{"Authorization", credential};
        bytes_ = make_request("GET", endpoint(server, "/auth"), {&authorization, 1});
        key_offset_ = bytes_.find(credential) + std::string_view("Bearer ").size();
    }

    std::optional<request> next() override
    {
        auto index = pick_();
        if (!index)
            return {};
        auto key = keys_[*index];
        std::copy(key.begin(), key.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(key_offset_));
        return request{bytes_, kind_};
    }

private:
    const key_set& keys_;
    key_picker pick_;
    std::size_t kind_;
    std::string bytes_;
    std::size_t key_offset_ = 0;
};

request_source_factory check_keys(const url& server, const key_set& keys, const key_options& options)
{
    if (keys.empty())
        throw failure("no keys to check: --keys must be at least 1");
    switch (options.choice) {
    case key_choice::cold:
        return [=, &keys](std::size_t thread, std::size_t threads) {
            return std::make_unique<key_check>(server, keys, pick_once(thread, keys.size(), threads), 0);
        };
    case key_choice::mixed:
        return [=, &keys, law = std::make_shared<zipf>(keys.size())](std::size_t thread, std::size_t) {
            auto pick = [law, random = random_source(thread)]() mutable {
                return std::optional((*law)(random));
            };
            return std::make_unique<key_check>(server, keys, std::move(pick), 0);
        };
    case key_choice::hot:
    case key_choice::invalid:
        break;
    }
    auto count = options.choice == key_choice::hot ? std::min(options.hot_keys, keys.size()) : keys.size();
    return [=, &keys](std::size_t thread, std::size_t) {
        return std::make_unique<key_check>(server, keys, pick_uniformly(0, count, thread), 0);
    };
}

std::vector<std::string> requests_with_tokens(std::string_view method, const url& where,
                                              const std::vector<std::string>& tokens,
                                              std::string_view body = {})
{
    std::vector<std::string> out;
    for (auto& token : tokens) {
        auto credential = "Bearer " + token;
        header authorization{"Authorization", credential};
        out.push_back(make_request(method, where, {&authorization, 1}, body));
    }
    return out;
}

/// Revocations of keys by their owners. One request for each owner, overwritten in place.
class key_revocation : public request_source {
public:
    key_revocation(const url& server, const key_set& keys, const std::vector<std::string>& tokens,
                   key_picker pick)
        : keys_(keys), pick_(std::move(pick))
    {
        std::string prefix(key_set::prefix_size, 'p');
        auto where = endpoint(server, "/api-keys/" + prefix);
        requests_ = requests_with_tokens("DELETE", where, tokens);
        prefix_offset_ = requests_.front().find("/api-keys/") + std::string_view("/api-keys/").size();
    }

    std::optional<request> next() override
    {
        auto index = pick_();
        if (!index)
            return {};
        auto& bytes = requests_[*index % requests_.size()];
        auto prefix = keys_[*index].substr(key_set::prefix_offset, key_set::prefix_size);
        std::ranges::copy(prefix, bytes.begin() + static_cast<std::ptrdiff_t>(prefix_offset_));
        return request{bytes, 0};
    }

private:
    const key_set& keys_;
    key_picker pick_;
    std::vector<std::string> requests_;
    std::size_t prefix_offset_ = 0;
};

/// A weighted random mix of several sources.
class mixture : public request_source {
public:
    struct part {
        std::unique_ptr<request_source> source;
        double weight;
    };

    mixture(std::vector<part> parts, std::size_t thread) : parts_(std::move(parts)), random_(thread)
    {
        std::vector<double> weights;
        for (auto& p : parts_)
            weights.push_back(p.weight);
        choose_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
    }

    std::optional<request> next() override { return parts_[choose_(random_)].source->next(); }

private:
    std::vector<part> parts_;
    random_source random_;
    std::discrete_distribution<std::size_t> choose_;
};

/// The key with a wrong checksum: its last character is changed.
std::string corrupt(std::string_view key)
{
    std::string out(key);
    out.back() = out.back() == '0' ? '1' : '0';
    return out;
}

std::vector<std::string> login_requests(const url& server, const seeded& users)
{
    if (users.emails.empty())
        throw failure("no users to log in: --users must be at least 1");
    std::vector<std::string> out;
    for (auto& email : users.emails) {
        auto body =
            boost::json::serialize(boost::json::object{{"email", email}, {"password", users.password}});
        out.push_back(make_request("POST", endpoint(server, "/login"), {}, body));
    }
    return out;
}

std::vector<std::string> jwt_requests(const url& server, const std::vector<std::string>& tokens)
{
    return requests_with_tokens("GET", endpoint(server, "/auth"), tokens);
}

std::vector<std::string> mint_requests(const url& server, const std::vector<std::string>& tokens)
{
    return requests_with_tokens("POST", endpoint(server, "/api-keys"), tokens, R"({"name":"load test"})");
}

std::string_view name_of(key_choice choice)
{
    constexpr std::array<std::string_view, 4> names{"hot", "cold", "mixed", "invalid"};
    return names[static_cast<std::size_t>(choice)];
}

} // namespace

scenario get(const url& where, std::span<const header> headers)
{
    return {.title = "get " + where.text(),
            .kinds = {{"get", 200}},
            .make_source = rotate({make_request("GET", where, headers)})};
}

scenario login(const url& server, const seeded& users)
{
    return {
        .title = "login", .kinds = {{"login", 200}}, .make_source = rotate(login_requests(server, users))};
}

scenario mail_and_sign_in(const url& server, const seeded& users)
{
    std::vector<std::string> forgot_requests;
    for (auto& email : users.emails) {
        auto body = boost::json::serialize(boost::json::object{{"email", email}});
        forgot_requests.push_back(make_request("POST", endpoint(server, "/password/forgot"), {}, body));
    }
    auto authorize = "/oauth/google/authorize?redirect_uri=" + std::string(redirect_uri) +
                     "&state=s&code_challenge=" + std::string(43, 'c') + "&code_challenge_method=S256";
    auto make_forgot = rotate(std::move(forgot_requests));
    auto make_authorize = rotate({make_request("GET", endpoint(server, authorize))}, 1);
    auto make_source = [=](std::size_t thread, std::size_t threads) {
        std::vector<mixture::part> parts;
        parts.push_back({make_forgot(thread, threads), 50});
        parts.push_back({make_authorize(thread, threads), 50});
        return std::make_unique<mixture>(std::move(parts), thread);
    };
    return {.title = "mail and sign-in",
            .kinds = {{"forgot", 202}, {"authorize", 302}},
            .make_source = make_source};
}

scenario verify_key(const url& server, const key_set& keys, const key_options& options)
{
    scenario out;
    out.title = "verify-key, " + std::string(name_of(options.choice));
    out.kinds = {{"key " + std::string(name_of(options.choice)), 200}};
    out.make_source = check_keys(server, keys, options);
    if (options.choice != key_choice::invalid)
        return out;
    out.kinds = {{"key unknown", 401}};
    if (options.malformed_percent == 0)
        return out;

    out.kinds.push_back({"key malformed", 401});
    auto corrupted = std::make_shared<key_set>();
    for (std::size_t i = 0; i < std::min<std::size_t>(keys.size(), 10'000); ++i)
        corrupted->add(corrupt(keys[i]));
    out.make_source = [=, unknown = out.make_source](std::size_t thread, std::size_t threads) {
        std::vector<mixture::part> parts;
        auto malformed =
            std::make_unique<key_check>(server, *corrupted, pick_uniformly(0, corrupted->size(), thread), 1);
        parts.push_back({unknown(thread, threads), 100 - options.malformed_percent});
        parts.push_back({std::move(malformed), options.malformed_percent});
        return std::make_unique<mixture>(std::move(parts), thread);
    };
    return out;
}

scenario verify_jwt(const url& server, const std::vector<std::string>& tokens)
{
    return {
        .title = "verify-jwt", .kinds = {{"jwt", 200}}, .make_source = rotate(jwt_requests(server, tokens))};
}

scenario mint(const url& server, const std::vector<std::string>& tokens)
{
    return {.title = "mint", .kinds = {{"mint", 201}}, .make_source = rotate(mint_requests(server, tokens))};
}

scenario revoke(const url& server, const key_set& keys, const std::vector<std::string>& tokens,
                std::size_t first, std::size_t end)
{
    if (end > keys.size() || first >= end)
        throw failure("too few keys to revoke: raise --keys");
    auto make_source = [=, &keys, &tokens](std::size_t thread, std::size_t threads) {
        return std::make_unique<key_revocation>(server, keys, tokens,
                                                pick_once(first + thread, end, threads));
    };
    return {.title = "revoke", .kinds = {{"revoke", 204}}, .make_source = make_source};
}

scenario mixed(const url& server, const seeded& data, const std::vector<std::string>& tokens,
               const key_options& options)
{
    enum : std::size_t { hot_kind, cold_kind, jwt_kind, mint_kind, login_kind };
    auto& keys = data.keys;
    auto hot_keys = std::min(options.hot_keys, keys.size());
    if (keys.size() <= hot_keys)
        throw failure("the mixed scenario needs more keys than hot ones: raise --keys or lower --hot-keys");
    auto jwts = rotate(jwt_requests(server, tokens), jwt_kind);
    auto mints = rotate(mint_requests(server, tokens), mint_kind);
    auto logins = rotate(login_requests(server, data), login_kind);
    scenario out;
    out.title = "mixed: 90 % hot keys, 5 % cold keys, 3 % jwt, 1.5 % mint, 0.5 % login";
    out.kinds = {{"key hot", 200}, {"key cold", 200}, {"jwt", 200}, {"mint", 201}, {"login", 200}};
    out.make_source = [=, &keys](std::size_t thread, std::size_t threads) {
        auto pick_hot = pick_uniformly(0, hot_keys, thread);
        auto pick_cold = pick_once(hot_keys + thread, keys.size(), threads);
        std::vector<mixture::part> parts;
        parts.push_back({std::make_unique<key_check>(server, keys, std::move(pick_hot), hot_kind), 90});
        parts.push_back({std::make_unique<key_check>(server, keys, std::move(pick_cold), cold_kind), 5});
        parts.push_back({jwts(thread, threads), 3});
        parts.push_back({mints(thread, threads), 1.5});
        parts.push_back({logins(thread, threads), 0.5});
        return std::make_unique<mixture>(std::move(parts), thread);
    };
    return out;
}

std::vector<std::string> log_in(const url& server, const seeded& users, std::size_t count)
{
    http_client client(server);
    std::vector<std::string> tokens;
    for (std::size_t i = 0; i < std::min(count, users.emails.size()); ++i) {
        boost::json::object body{{"email", users.emails[i]}, {"password", users.password}};
        auto reply = client.call("POST", endpoint(server, "/login").target, {}, boost::json::serialize(body));
        if (reply.status != 200)
            throw failure("the login of a seeded user failed (" + std::to_string(reply.status) +
                          "): " + reply.body);
        tokens.emplace_back(boost::json::parse(reply.body).at("access_token").as_string());
    }
    if (tokens.empty())
        throw failure("no users to log in: --users must be at least 1");
    return tokens;
}

} // namespace bench
