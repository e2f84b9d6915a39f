#include "schemas/engine/examples.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace schemas {

namespace json = boost::json;

namespace {

/// An example of a member, as JSON. An entry for a specific struct takes precedence.
struct member_example {
    /// Empty: any struct.
    std::string_view owner;
    std::string_view name;
    std::string_view value;
};

constexpr std::string_view component_ref_prefix = "#/components/schemas/";

// An optional member of a request is shown if it is listed here for its struct.
constexpr member_example member_examples[] = {
    {"signup", "name", R"("Ada Lovelace")"},
    {"signup", "workspace_name", R"("Analytical Engines")"},
    {"api_key_create", "name", R"("Nightly import")"},
    {"api_key_create", "scopes", R"(["content:read"])"},
    {"api_key_create", "expires_at", R"("2099-12-31T23:59:59Z")"},
    {"api_key_created", "name", R"("Nightly import")"},
    {"api_key_created", "expires_at", R"("2099-12-31T23:59:59Z")"},
    {"api_key_patch", "name", R"("Hourly import")"},
    {"api_key_rotate", "grace_seconds", "3600"},
    {"api_key_row", "name", R"("Nightly import")"},
    {"team_api_key", "name", R"("Nightly import")"},
    {"api_key_row", "revoked_at", "null"},
    {"team_api_key", "revoked_at", "null"},
    {"resend_verification", "email", R"("ada@example.com")"},
    {"email_change", "new_email", R"("ada@analytical.example")"},
    {"email_change", "password", R"("correct horse battery staple")"},
    {"password_change", "current_password", R"("correct horse battery staple")"},
    {"password_change", "new_password", R"("twelve slow purple lanterns")"},
    {"password_reset", "password", R"("twelve slow purple lanterns")"},
    {"account_deletion", "password", R"("correct horse battery staple")"},
    {"ownership_transfer", "password", R"("correct horse battery staple")"},
    {"patch_me", "name", R"("Ada King")"},
    {"patch_me", "title", R"("Countess of Lovelace")"},
    {"patch_me", "locale", R"("en-GB")"},
    {"patch_me", "timezone", R"("Europe/London")"},
    {"workspace_patch", "members_can_mint_keys", "false"},
    {"workspace_create", "name", R"("Difference Engines")"},
    {"workspace", "name", R"("Analytical Engines")"},
    {"workspace_row", "name", R"("Analytical Engines")"},
    {"workspace_settings", "name", R"("Analytical Engines")"},
    {"workspace_settings", "join_domain", R"("example.com")"},
    {"notifications_patch", "key_minted", R"({"email": false})"},
    {"invite_draft", "email", R"("mel@example.com")"},
    {"invite_outcome", "email", R"("mel@example.com")"},
    {"invite_row", "email", R"("mel@example.com")"},
    {"invite_preview", "email", R"("mel@example.com")"},
    {"invite_preview", "invited_by", R"("Ada Lovelace")"},
    {"invite_accept", "name", R"("Mel Ferrer")"},
    {"invite_accept", "password", R"("correct horse battery staple")"},
    {"oauth_grant", "provider", R"("google")"},
    {"oauth_grant", "issuer", R"("https://accounts.google.com")"},
    {"audit_row", "action", R"("api_key.mint")"},
    {"audit_row", "target", R"("example0")"},
    {"audit_row", "details", R"({"scopes": ["content:read"]})"},
    {"health", "status", R"("ok")"},
    {"site_links", "name", R"("Latchkey")"},
    {"site_links", "api", R"("https://id.example.com/api/v1/users")"},
    {"site_links", "openapi", R"("https://id.example.com/openapi.json")"},
    {"site_links", "docs", R"("https://id.example.com/docs")"},
    {"site_links", "sign_in", R"("https://id.example.com/sign-in")"},
    {"site_links", "mcp", R"("https://id.example.com/mcp")"},
    {"site_links", "jwks", R"("https://id.example.com/.well-known/jwks.json")"},
    {"validation_error", "loc", R"(["body", "email"])"},
    {"validation_error", "msg", R"("Field required")"},
    {"validation_error", "type", R"("missing")"},
    {"introspection_request", "token", R"("tnx_example0_000000000000000000000000000000000xPPqm")"},
    {"revocation_request", "token", R"("tnx_example0_000000000000000000000000000000000xPPqm")"},
    {"introspection", "scope", R"("content:read content:write")"},
    {"introspection", "token_type", R"("Bearer")"},
    {"oauth_authorization_request", "redirect_uri", R"("https://app.example.com/signed-in")"},
    {"oauth_authorization_request", "code_challenge", R"("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")"},

    {"", "state", R"("af0ifjsldkj")"},
    {"", "detail", R"("Not found.")"},
    {"", "email", R"("ada@example.com")"},
    {"", "password", R"("correct horse battery staple")"},
    {"", "name", R"("Ada Lovelace")"},
    {"", "title", R"("Countess of Lovelace")"},
    {"", "locale", R"("en-GB")"},
    {"", "timezone", R"("Europe/London")"},
    {"", "avatar_url", R"("/api/v1/users/avatars/01935c1e-7a00-7000-8000-00000000ada1?v=1")"},
    {"", "workspace_name", R"("Analytical Engines")"},
    {"", "token", R"("3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs")"},
    {"", "access_token", R"("eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln")"},
    {"", "refresh_token", R"("AZNcHnoAcACAAAAAAACq2gAAAAAAAAAB3q2-7wABAgMEBQYHCAkKCw")"},
    {"", "expires_in", "3600"},
    {"", "prefix", R"("example0")"},
    {"usage_key", "name", R"("Nightly import")"},
    {"", "day", R"("2026-11-30")"},
    {"", "checks", "1200"},
    {"", "refusals", "3"},
    {"", "rate_limited", "0"},
    {"", "secret", R"("tnx_example0_000000000000000000000000000000000xPPqm")"},
    {"", "key", R"("tnx_example0_000000000000000000000000000000000xPPqm")"},
    {"", "scopes", R"(["content:read"])"},
    {"", "permissions", R"(["content:read", "content:write"])"},
    {"", "required", R"("team:invite")"},
    {"", "ip", R"("203.0.113.7")"},
    {"", "user_agent", R"("curl/8.5.0")"},
    {"", "request_id", R"("1k2m3n4p5q6r7-2s")"},
    {"", "code", R"("3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs")"},
    {"", "provider_code", R"("3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs")"},
    {"", "code_verifier", R"("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")"},
    {"", "next_cursor", "null"},
    {"", "total", "1"},
    {"", "sub", R"("01935c1e-7a00-7000-8000-00000000ada1")"},
    {"", "iss", R"("https://id.example.com")"},
    {"", "aud", R"("https://id.example.com")"},
    {"", "role", R"("member")"},
    {"", "jti", R"("01935c1e-7a00-7000-8000-0000000000a1")"},
    {"", "exp", "1767225600"},
    {"", "iat", "1767222000"},
    {"", "kty", R"("EC")"},
    {"", "crv", R"("P-256")"},
    {"", "alg", R"("ES256")"},
    {"", "use", R"("sig")"},
    {"", "kid", R"("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")"},
    {"", "x", R"("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")"},
    {"", "y", R"("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")"},
    {"protected_resource", "resource_name", R"("Latchkey")"},
    {"protected_resource", "bearer_methods_supported", R"(["header"])"},
    {"protected_resource", "scopes_supported", R"(["content:read", "content:write"])"},
    {"protected_resource", "resource_documentation", R"("https://id.example.com/docs")"},
    {"", "claim_url", R"("https://id.example.com/claim#token=3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs")"},
    {"", "resource", R"("https://id.example.com/mcp")"},
};

const member_example* find(std::string_view owner, std::string_view name)
{
    auto it = std::ranges::find_if(member_examples,
                                   [&](auto& one) { return one.owner == owner && one.name == name; });
    return it == std::end(member_examples) ? nullptr : it;
}

bool is_required(const json::object& schema, std::string_view name)
{
    auto* names = schema.if_contains("required");
    return names &&
           std::ranges::any_of(names->as_array(), [&](auto& one) { return one.as_string() == name; });
}

json::object example_of_members(const json::object& schema, const json::object& components, direction use,
                                std::string_view owner)
{
    json::object out;
    for (auto& [name, member] : schema.at("properties").as_object()) {
        bool is_shown = use == direction::response || is_required(schema, name) || find(owner, name);
        if (is_shown)
            out[name] = example_of(member.as_object(), components, use, owner, name);
    }
    return out;
}

/// The type of a schema, other than null.
std::string_view type_of(const json::object& schema)
{
    auto* type = schema.if_contains("type");
    if (!type)
        return {};
    return type->is_array() ? type->as_array().front().as_string() : type->as_string();
}

json::value example_of_format(std::string_view format)
{
    if (format == "uuid")
        return "01935c1e-7a00-7000-8000-00000000ada1";
    if (format == "date-time")
        return "2026-01-05T09:30:00Z";
    throw std::logic_error("no example for format " + std::string(format));
}

} // namespace

json::value example_of(const json::object& schema, const json::object& components, direction use,
                       std::string_view owner, std::string_view name)
{
    if (auto* one = find(owner, name))
        return json::parse(one->value);
    if (auto* ref = schema.if_contains("$ref")) {
        std::string_view component = ref->as_string();
        component.remove_prefix(component_ref_prefix.size());
        return example_of(components.at(component).as_object(), components, use, component);
    }
    if (auto* alternatives = schema.if_contains("anyOf"))
        return example_of(alternatives->as_array().front().as_object(), components, use);
    if (auto* fixed = schema.if_contains("const"))
        return *fixed;
    if (auto* names = schema.if_contains("enum"))
        return names->as_array().front();
    auto type = type_of(schema);
    if (type == "object")
        return example_of_members(schema, components, use, owner);
    if (auto* format = schema.if_contains("format"); format && (*format == "uuid" || *format == "date-time"))
        return example_of_format(format->as_string());
    if (type == "boolean")
        return true;
    if (auto* one = find({}, name))
        return json::parse(one->value);
    if (type == "array")
        return json::array{example_of(schema.at("items").as_object(), components, use)};
    throw std::logic_error("no example for " + std::string(owner) + "." + std::string(name));
}

} // namespace schemas
