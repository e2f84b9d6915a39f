// JSON Schema generation: it agrees with the parser, and each struct is one component.
#include "schemas/engine/openapi.hpp"

#include "schemas/api_key.hpp"
#include "schemas/auth.hpp"
#include "schemas/problem.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

using namespace schemas;
namespace json = boost::json;

namespace {

std::string normal(std::string_view text)
{
    return json::serialize(json::parse(text));
}

} // namespace

namespace other {
struct health {
    std::int64_t code = 0;
};
BOOST_DESCRIBE_STRUCT(health, (), (code))
} // namespace other

namespace once {
struct health {
    std::string status;
};
BOOST_DESCRIBE_STRUCT(health, (), (status))
} // namespace once

BOOST_AUTO_TEST_SUITE(openapi)

BOOST_AUTO_TEST_CASE(a_complete_request_schema)
{
    BOOST_TEST(json::serialize(describe_schema<api_key_create>(direction::request)) == normal(R"({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 100,
                     "pattern": "^(?=.*\\S)[^\\u0000-\\u001F\\u007F-\\u009F\\u2028\\u2029]*$"},
            "scopes": {"type": "array",
                       "items": {"type": "string", "minLength": 1, "maxLength": 64,
                                 "pattern": "^(\\*|[a-z_]+:[a-z_]+)$"},
                       "minItems": 1, "maxItems": 100},
            "expires_at": {"type": ["string", "null"], "format": "date-time"},
            "owner": {"type": ["string", "null"], "enum": ["user", "workspace", null]},
            "role": {"type": ["string", "null"], "enum": ["admin", "manager", "member", null]}
        },
        "required": ["name"],
        "additionalProperties": false
    })"));
}

BOOST_AUTO_TEST_CASE(a_complete_response_schema)
{
    json::object components;
    const auto used = describe_schema<me>(direction::response, components);
    BOOST_TEST(json::serialize(used) == normal(R"({"$ref": "#/components/schemas/me"})"));
    BOOST_TEST(json::serialize(components) == normal(R"({
        "user": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "email": {"type": "string"},
                "name": {"type": ["string", "null"]},
                "title": {"type": ["string", "null"]},
                "email_verified": {"type": "boolean"},
                "avatar_url": {"type": ["string", "null"]},
                "locale": {"type": "string"},
                "timezone": {"type": "string"},
                "created_at": {"type": "string", "format": "date-time"}
            },
            "required": ["id", "email", "name", "title", "email_verified", "avatar_url", "locale", "timezone",
                         "created_at"],
            "additionalProperties": false
        },
        "workspace": {
            "type": "object",
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "name": {"type": "string"},
                "owner_id": {"type": "string", "format": "uuid"},
                "created_at": {"type": "string", "format": "date-time"}
            },
            "required": ["id", "name", "owner_id", "created_at"],
            "additionalProperties": false
        },
        "credential": {
            "type": "object",
            "properties": {
                "type": {"type": "string", "enum": ["session", "api_key"]},
                "id": {"type": "string", "format": "uuid"},
                "prefix": {"type": "string"},
                "scopes": {"type": "array", "items": {"type": "string"}}
            },
            "required": ["type", "id", "scopes"],
            "additionalProperties": false
        },
        "me": {
            "type": "object",
            "properties": {
                "user": {"anyOf": [{"$ref": "#/components/schemas/user"}, {"type": "null"}]},
                "workspace": {"anyOf": [{"$ref": "#/components/schemas/workspace"}, {"type": "null"}]},
                "role": {"type": ["string", "null"], "enum": ["admin", "manager", "member", null]},
                "permissions": {"type": "array", "items": {"type": "string"}},
                "credential": {"$ref": "#/components/schemas/credential"}
            },
            "required": ["user", "workspace", "role", "permissions", "credential"],
            "additionalProperties": false
        }
    })"));
}

BOOST_AUTO_TEST_CASE(a_self_contained_schema_is_inline)
{
    const auto schema = describe_schema<me>(direction::response);
    const auto text = json::serialize(schema);
    BOOST_TEST(text.find("$ref") == std::string::npos);
    BOOST_TEST(text.find("owner_id") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_struct_used_twice_is_one_component)
{
    json::object components;
    describe_schema<login_result>(direction::response, components);
    describe_schema<signup_result>(direction::response, components);
    describe_schema<page<api_key_row>>(direction::response, components);
    BOOST_TEST(components.size() == 7u);
    BOOST_TEST(components.contains("page_api_key_row"));
    BOOST_TEST(components.at("page_api_key_row").at("required").as_array().size() == 2u);
}

BOOST_AUTO_TEST_CASE(two_structs_with_one_name_are_an_error)
{
    json::object components;
    describe_schema<once::health>(direction::response, components);
    BOOST_CHECK_NO_THROW(describe_schema<once::health>(direction::response, components));
    BOOST_CHECK_THROW(describe_schema<other::health>(direction::response, components), std::logic_error);
}

BOOST_AUTO_TEST_CASE(component_names)
{
    BOOST_TEST(component_name("schemas::user") == "user");
    BOOST_TEST(component_name("schemas::page<schemas::api_key_row>") == "page_api_key_row");
    BOOST_TEST(component_name("a::pair<b::x, c::d::y<e::z> >") == "pair_x_y_z");
    BOOST_TEST(component_name("(anonymous namespace)::thing") == "thing");
}

BOOST_AUTO_TEST_CASE(a_query_is_a_list_of_parameters)
{
    BOOST_TEST(json::serialize(describe_parameters<api_key_query>()) == normal(R"([
        {"name": "limit", "in": "query", "required": false,
         "schema": {"type": "integer", "minimum": 1, "default": 50,
                    "description": "Values above 200 are clamped."}},
        {"name": "cursor", "in": "query", "required": false, "schema": {"type": "string"}},
        {"name": "status", "in": "query", "required": false,
         "schema": {"type": "string", "enum": ["active", "revoked", "expired"]}},
        {"name": "expires_before", "in": "query", "required": false,
         "schema": {"type": "string", "format": "date-time"}}
    ])"));
}

BOOST_AUTO_TEST_CASE(a_patch_requires_nothing)
{
    const auto schema = describe_schema<patch_me>(direction::request);
    BOOST_TEST(!schema.contains("required"));
    BOOST_TEST(json::serialize(schema.at("properties").at("name").at("type")) == R"(["string","null"])");
    BOOST_TEST(schema.at("properties").at("locale").at("type").as_string() == "string");
}

BOOST_AUTO_TEST_CASE(an_error_location_has_names_and_indexes)
{
    const auto schema = describe_schema<validation_problem>(direction::response);
    BOOST_TEST(json::serialize(schema.at("properties").at("detail").at("items").at("properties").at("loc")) ==
               normal(R"({"type": "array", "items": {"type": ["string", "integer"]}})"));
}

BOOST_AUTO_TEST_SUITE_END()
