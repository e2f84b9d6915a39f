// State cookies: sign-ins in progress, each sealed into a cookie of its own, so that those of several tabs do
// not interfere.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/cookies.hpp"
#include "schemas/engine/schema.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handlers {

/// Sign-ins of a kind that one browser can have in progress: the cookies of more would fill its header.
inline constexpr std::size_t max_begun_sign_ins = 5;

/// A name for a sign-in: 256 random bits, 43 characters of base64url.
std::string make_state();

/// What the cookies of one kind of sign-in have in common, without their content. The name of a cookie ends
/// with a part of the state.
class state_cookie_kind {
public:
    /// @param path of the cookies @param seal_context opens no cookie of another kind
    state_cookie_kind(const context& cx, std::string name_prefix, std::string path,
                      std::string_view seal_context);

    /// The value of Set-Cookie that deletes a cookie. @param state or the part of it in the cookie's name
    std::string remove(std::string_view state) const;

protected:
    std::string set(std::string_view state, const std::string& content, std::int64_t expires_at) const;
    /// The content of a cookie's value; nothing if it is not one of ours.
    std::optional<std::string> open(std::string_view value) const;
    /// The value of the cookie with a state; empty if there is none.
    std::string_view find_value(const request& req, std::string_view state) const;
    /// The cookies of this kind, with the parts of their states as names.
    std::vector<cookie> all_of(const request& req) const;
    /// The places of the cookies that are over the cap once another is added. @param expiries of all of them
    static std::vector<std::size_t> oldest(const std::vector<std::int64_t>& expiries);
    bool is_current(std::string_view state, std::string_view expected, std::int64_t expires_at) const;

private:
    std::string attributes(std::chrono::seconds max_age) const;

    const context& cx_;
    std::string name_prefix_, path_;
    std::string_view seal_context_;
};

/// @tparam Begun a described struct; its `state` is from make_state(), its `expires_at` in seconds since 1970
template <class Begun>
class state_cookies : public state_cookie_kind {
public:
    using state_cookie_kind::state_cookie_kind;

    /// The value of Set-Cookie.
    std::string make(const Begun& what) const
    {
        return set(what.state, schemas::to_json(what), what.expires_at);
    }

    /// The sign-in with this state that the browser has begun; nothing if there is none or it has expired.
    std::optional<Begun> find(const request& req, std::string_view state) const
    {
        auto found = read(find_value(req, state));
        if (!found || !is_current(found->state, state, found->expires_at))
            return std::nullopt;
        return found;
    }

    /// Values of Set-Cookie that make room for one more sign-in within max_begun_sign_ins: they delete the
    /// oldest, and first of all cookies that are expired or unreadable.
    std::vector<std::string> make_room(const request& req) const
    {
        auto all = all_of(req);
        std::vector<std::int64_t> expiries;
        for (auto& each : all) {
            auto what = read(each.value);
            expiries.push_back(what ? what->expires_at : 0);
        }
        std::vector<std::string> out;
        for (auto at : oldest(expiries))
            out.push_back(remove(all[at].name));
        return out;
    }

private:
    std::optional<Begun> read(std::string_view value) const
    {
        auto content = open(value);
        return content ? std::move(schemas::parse_body<Begun>(*content).value) : std::nullopt;
    }
};

} // namespace handlers
