// MCP over HTTP: the conformance suite, the official clients, and malformed or hostile messages.
#include "tests/e2e/agents/mcp_fixture.hpp"
#include "tests/e2e/support/all_cores.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/array.hpp>

#include <map>
#include <set>

using namespace e2e;
namespace json = boost::json;

namespace {

using checks = std::set<std::string>;

/// The scenarios that a server with tools alone can pass, each with the checks that may fail because they
/// need features of the suite's own server: prompts, resources, or special tools.
const std::map<std::string, std::map<std::string, checks>> required_scenarios = {
    {"2026-07-28",
     {{"dns-rebinding-protection", {}},
      {"http-header-validation", {}},
      {"tools-list", {}},
      {"server-sse-multiple-streams", {}},
      {"input-required-result-ignore-extra-params", {}},
      {"input-required-result-unsupported-methods", {}},
      {"caching",
       {"sep-2549-prompts-list-caching-hints", "sep-2549-resources-list-caching-hints",
        "sep-2549-resources-templates-list-caching-hints"}},
      {"server-stateless",
       {"sep-2575-server-rejects-undeclared-capability", "sep-2575-missing-capability-http-400",
        "sep-2575-http-server-no-independent-requests-on-stream",
        "sep-2575-server-no-log-without-loglevel"}}}},
    {"2025-11-25",
     {{"server-initialize", {}},
      {"server-session-lifecycle", {}},
      {"ping", {}},
      {"tools-list", {}},
      {"dns-rebinding-protection", {}},
      {"server-sse-multiple-streams", {}},
      {"server-sse-polling", {}}}}};

const std::string eight_tools =
    "whoami list_api_keys mint_api_key revoke_api_key list_team invite_teammates set_role "
    "remove_teammate";

/// Check the results of one session of an official client; all run the same calls.
void check_session(const json::object& session, const std::string& user)
{
    auto& way = session.at("client").as_string();
    std::vector<std::string> tools;
    for (auto& tool : session.at("tools").as_array())
        tools.emplace_back(tool.as_string());
    BOOST_TEST(join(tools) == eight_tools, way);
    BOOST_TEST(session.at("me").at("user").at("id").as_string() == user, way);
    auto& minted = session.at("minted").as_object();
    BOOST_TEST(minted.contains("claim_url"), way);
    BOOST_TEST(!minted.contains("secret"), way);
    BOOST_TEST(session.at("listed").at("items").at(0).at("prefix") == minted.at("prefix"), way);
    BOOST_TEST(session.at("revoked").at("revoked").as_bool(), way);
    BOOST_TEST(session.at("refused").at("isError").as_bool(), way);
    BOOST_TEST(session.at("team").at("items").as_array().size() == 3u, way);
}

} // namespace

BOOST_AUTO_TEST_SUITE(mcp)

BOOST_AUTO_TEST_CASE(the_conformance_suite_passes)
{
    const std::string origin = "https://agents.example"; // of the browser pages that the suite simulates
    mcp_fixture fixture({{"LATCHKEY_CORS_ORIGINS", origin}});
    auto url = "http://127.0.0.1:" + std::to_string(fixture.server.port());
    auto key = fixture.mint(R"({"name":"k"})");
    for (auto& [revision, wanted] : required_scenarios) {
        support::third_party_server suite(
            "mcp-conformance", {{"url", url}, {"origin", origin}, {"revision", revision}, {"token", key}});
        auto& seen = suite.start().at("scenarios").as_object();
        for (auto& [scenario, excused] : wanted) {
            BOOST_TEST_REQUIRE(seen.contains(scenario), revision << " " << scenario << " did not run");
            for (auto& failed : seen.at(scenario).as_array()) {
                std::string what(failed.as_string());
                BOOST_TEST(excused.contains(what.substr(0, what.find(':'))),
                           revision << " " << scenario << " " << what);
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(the_official_clients_work_over_every_transport, mcp_fixture)
{
    auto url = "http://127.0.0.1:" + std::to_string(server.port());
    auto key = mint(R"({"name":"k"})");
    support::third_party_server clients("mcp-clients",
                                        {{"url", url}, {"token", key}, {"program", support::program_path()}});
    auto& sessions = clients.start().at("sessions").as_array();
    BOOST_TEST(sessions.size() == 5u);
    for (auto& session : sessions)
        check_session(session.as_object(), user);
}

BOOST_FIXTURE_TEST_CASE(a_missing_credential_is_challenged_with_the_metadata_url, mcp_fixture)
{
    for (std::string method : {"initialize", "server/discover", "ping", "tools/list"}) {
        auto refused = call_method(method, "{}", "");
        BOOST_TEST(refused.status == 401u, method);
        auto challenge = refused.header("WWW-Authenticate");
        auto mark = std::string("resource_metadata=\"");
        auto from = challenge.find(mark);
        BOOST_TEST_REQUIRE(from != challenge.npos, challenge);
        BOOST_TEST(challenge.ends_with("/.well-known/oauth-protected-resource/mcp\""));
        BOOST_TEST(challenge.find("error=") == challenge.npos);
    }
    BOOST_TEST(
        call_method("ping", "{}", "tnx_x").header("WWW-Authenticate").find("error=\"invalid_token\"") !=
        std::string::npos);
    auto resource = client.get("/.well-known/oauth-protected-resource/mcp");
    BOOST_TEST(resource.status == 200u);
    BOOST_TEST(resource.text("/resource").ends_with("/mcp"));
    BOOST_TEST(json_at(resource, "/bearer_methods_supported") == R"(["header"])");
    BOOST_TEST(client.get("/.well-known/oauth-protected-resource").body == resource.body);
}

BOOST_AUTO_TEST_CASE(a_foreign_origin_is_rejected)
{
    mcp_fixture fixture({{"LATCHKEY_CORS_ORIGINS", "https://app.example.com"},
                         {"LATCHKEY_PUBLIC_URL", "https://id.example.com"}});
    const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
    for (std::string origin :
         {"https://evil.example", "null", "http://id.example.com", "https://id.example.com.evil.example"}) {
        BOOST_TEST(fixture.post_message(ping, fixture.token, {{"Origin", origin}}).status == 403u, origin);
        BOOST_TEST(fixture.post_message(ping, "", {{"Origin", origin}}).status == 403u, origin);
    }
    for (std::string origin : {"https://app.example.com", "https://id.example.com"})
        BOOST_TEST(fixture.post_message(ping, fixture.token, {{"Origin", origin}}).status == 200u, origin);
}

BOOST_FIXTURE_TEST_CASE(only_posted_json_is_accepted, mcp_fixture)
{
    const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
    for (auto method : {support::http::verb::get, support::http::verb::delete_}) {
        auto refused = client.send(method, "/mcp", "", token);
        BOOST_TEST(refused.status == 405u);
        BOOST_TEST(refused.header("Allow") == "POST, OPTIONS");
    }
    BOOST_TEST(post_message(ping, token, {{"Content-Type", "text/plain"}}).status == 415u);
    BOOST_TEST(post_message(ping, token, {{"Accept", "application/json"}}).status == 406u);
    BOOST_TEST(post_message(ping, token, {{"Accept", "text/event-stream"}}).status == 406u);
    BOOST_TEST(post_message(ping, token, {{"Accept", "*/*"}}).status == 200u);
    for (std::string broken :
         {"", "{", "[", "nonsense", R"({"jsonrpc":"2.0","id":1,"id":2,"method":"ping"})"}) {
        auto refused = post_message(broken, token);
        BOOST_TEST(refused.status == 400u, broken);
        BOOST_TEST(json_at(refused, "/error/code") == "-32700", broken);
        BOOST_TEST(json_at(refused, "/id") == "null", broken);
    }
    for (std::string odd :
         {"7", "null", R"("x")", "{}", R"({"jsonrpc":"1.0","id":1,"method":"ping"})",
          R"({"jsonrpc":"2.0","id":1})", R"({"jsonrpc":"2.0","id":{},"method":"ping"})",
          R"({"jsonrpc":"2.0","id":null,"method":"ping"})", R"({"jsonrpc":"2.0","id":1,"method":7})"}) {
        auto refused = post_message(odd, token);
        BOOST_TEST(refused.status == 400u, odd);
        BOOST_TEST(json_at(refused, "/error/code") == "-32600", odd);
    }
}

BOOST_FIXTURE_TEST_CASE(notifications_and_responses_get_an_empty_202, mcp_fixture)
{
    for (std::string quiet : {R"({"jsonrpc":"2.0","method":"notifications/initialized"})",
                              R"({"jsonrpc":"2.0","method":"tools/call","params":{"name":"whoami"}})",
                              R"({"jsonrpc":"2.0","id":3,"result":{}})"}) {
        auto taken = post_message(quiet, token);
        BOOST_TEST(taken.status == 202u, quiet);
        BOOST_TEST(taken.body == "", quiet);
    }
}

BOOST_FIXTURE_TEST_CASE(protocol_versions_are_negotiated, mcp_fixture)
{
    auto version = [&](const std::string& wanted) {
        return call_method("initialize",
                           R"({"protocolVersion":")" + wanted +
                               R"(","capabilities":{},"clientInfo":{"name":"x","version":"1"}})",
                           token)
            .text("/result/protocolVersion");
    };
    for (std::string known : {"2025-11-25", "2025-06-18", "2025-03-26"})
        BOOST_TEST(version(known) == known);
    for (std::string other : {"2024-11-05", "2099-01-01", "x"})
        BOOST_TEST(version(other) == "2025-11-25", other);
    auto refused = post_message(R"({"jsonrpc":"2.0","id":1,"method":"ping"})", token,
                                {{"MCP-Protocol-Version", "2099-01-01"}});
    BOOST_TEST(refused.status == 400u);
    BOOST_TEST(json_at(refused, "/error/code") == "-32000");
    BOOST_TEST(json_at(refused, "/error/data/supported/0") == R"("2026-07-28")");
}

BOOST_FIXTURE_TEST_CASE(stateless_requests_carry_their_own_metadata, mcp_fixture)
{
    const std::string meta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                             R"("io.modelcontextprotocol/clientCapabilities":{}})";
    const header_lines right{
        {"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", "tools/call"}, {"Mcp-Name", "whoami"}};
    auto params = R"({"name":"whoami","arguments":{},)" + meta + "}";
    auto answer = call_stateless("tools/call", params, right);
    BOOST_TEST(answer.status == 200u);
    BOOST_TEST(answer.text("/result/structuredContent/user/id") == user);
    BOOST_TEST(answer.text("/result/resultType") == "complete");
    BOOST_TEST(json_at(answer, "/id") == "7");

    auto code = [&](const std::string& with, header_lines headers) {
        auto refused = call_stateless("tools/call", with, headers);
        return std::to_string(refused.status) + " " + json_at(refused, "/error/code") + " " +
               json_at(refused, "/id");
    };
    for (std::size_t i = 0; i < right.size(); ++i) {
        auto wrong = right;
        wrong[i].second = "else";
        BOOST_TEST(code(params, wrong) == "400 -32020 7", right[i].first);
        wrong.erase(wrong.begin() + static_cast<std::ptrdiff_t>(i));
        BOOST_TEST(code(params, wrong) == "400 -32020 7", right[i].first);
    }
    BOOST_TEST(code(R"({"name":"whoami"})", right) == "400 -32602 7");
    auto spaced = right;
    spaced[2].second = "  whoami ";
    BOOST_TEST(call_stateless("tools/call", params, spaced).status == 200u);
    for (std::string gone : {"initialize", "ping", "logging/setLevel", "prompts/list"}) {
        auto refused = call_stateless(gone, "{" + meta + "}",
                                      {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", gone}});
        BOOST_TEST(refused.status == 404u, gone);
        BOOST_TEST(json_at(refused, "/error/code") == "-32601", gone);
    }
}

BOOST_FIXTURE_TEST_CASE(a_batch_gets_one_response, mcp_fixture)
{
    const std::string two =
        R"([{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},)"
        R"({"jsonrpc":"2.0","id":"b","method":"nonsense"}])";
    auto answer = post_message(two, token);
    BOOST_TEST(answer.status == 200u);
    BOOST_TEST(item_count(answer, "") == 2u);
    BOOST_TEST(json_at(answer, "/1/id") == R"("b")");
    BOOST_TEST(json_at(answer, "/1/error/code") == "-32601");
    BOOST_TEST(post_message(two, token, {{"MCP-Protocol-Version", "2025-03-26"}}).status == 200u);
    BOOST_TEST(post_message(two, token, {{"MCP-Protocol-Version", "2025-11-25"}}).status == 400u);
    BOOST_TEST(post_message("[]", token).status == 400u);
    BOOST_TEST(post_message(R"([{"jsonrpc":"2.0","method":"notifications/x"}])", token).status == 202u);
    std::string many = "[";
    for (int i = 0; i < 51; ++i)
        many += std::string(i ? "," : "") + R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
    BOOST_TEST(post_message(many + "]", token).status == 400u);
}

BOOST_AUTO_TEST_CASE(each_message_of_a_batch_counts_against_the_rate_limit)
{
    mcp_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "30"}});
    std::string batch = "[";
    for (int i = 0; i < 20; ++i)
        batch += std::string(i ? "," : "") + R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
    batch += "]";
    BOOST_TEST(fixture.post_message(batch, fixture.token).status == 200u);
    BOOST_TEST(fixture.post_message(batch, fixture.token).status == 429u);
}

BOOST_FIXTURE_TEST_CASE(each_message_of_a_batch_sees_the_effect_of_the_previous_one, mcp_fixture)
{
    auto key = mint(R"({"name":"k"})");
    auto call = [](const std::string& id, const std::string& tool, const std::string& arguments) {
        return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":"tools/call","params":{"name":")" + tool +
               R"(","arguments":)" + arguments + "}}";
    };
    auto refused = post_message("[" + call("1", "revoke_api_key", R"({"prefix":")" + prefix_of(key) + "\"}") +
                                    "," + call("2", "list_team", "{}") + "]",
                                key);
    BOOST_TEST(refused.status == 401u);
    BOOST_TEST(refused.body.find("ada@") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(tools_have_the_effects_and_permissions_of_their_routes, mcp_fixture)
{
    BOOST_TEST(call_tool("whoami", "{}", bob.token).text("/result/structuredContent/role") == "member");
    BOOST_TEST(
        tool_error(call_tool("invite_teammates", R"({"invites":[{"email":"x@example.org","role":"member"}]})",
                             bob.token)) == "forbidden_scope");
    auto narrow = mint(R"({"name":"n","scopes":["api_keys:read"]})");
    BOOST_TEST(tool_error(call_tool("list_team", "{}", narrow)) == "forbidden_scope");
    BOOST_TEST(tool_error(call_tool("mint_api_key", R"({"name":"wider"})", narrow)) == "forbidden_scope");
    BOOST_TEST(item_count(call_tool("list_api_keys", "{}", narrow), "/result/structuredContent/items") == 1u);

    BOOST_TEST(tool_error(call_tool("invite_teammates",
                                    R"({"invites":[{"email":"new@example.org","role":"member"}]})",
                                    mel.token)) == "email_not_verified");
    verify_address(db, "mel@example.com");
    auto invited = call_tool("invite_teammates",
                             R"({"invites":[{"email":"new@example.org","role":"member"}]})", mel.token);
    BOOST_TEST(invited.text("/result/structuredContent/items/0/result") == "created");
    BOOST_TEST(tool_error(call_tool("invite_teammates",
                                    R"({"invites":[{"email":"bob@example.com","role":"member"}]})",
                                    mel.token)) == "already_member");
    BOOST_TEST(item_count(call_tool("list_team", R"({"status":"pending"})", token),
                          "/result/structuredContent/items") == 1u);

    auto raised = call_tool("set_role", support::object({{"user_id", bob.user}, {"role", "manager"}}), token);
    BOOST_TEST(raised.text("/result/structuredContent/role") == "manager");
    BOOST_TEST(client.get(base + "/me", bob.token).text("/role") == "manager");
    BOOST_TEST(tool_error(call_tool("set_role", support::object({{"user_id", user}, {"role", "member"}}),
                                    token)) == "owner_protected");
    auto removed = call_tool("remove_teammate", support::object({{"user_id", bob.user}}), token);
    BOOST_TEST(json_at(removed, "/result/structuredContent/removed") == "true");
    BOOST_TEST(on_all_cores(server, get_request("/me", bob.token)) == "401 unauthorized");

    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(tool_error(call_tool("remove_teammate", support::object({{"user_id", mel.user}}),
                                    eve.token)) == "not_found");
    auto unknown = call_tool("drop_tables", "{}", token);
    BOOST_TEST(json_at(unknown, "/error/code") == "-32602");
    BOOST_TEST(tool_error(call_tool("whoami", R"({"who":"me"})", token)) == "validation_error");
    BOOST_TEST(tool_error(call_tool("whoami", "[]", token)) == "validation_error");
}

BOOST_FIXTURE_TEST_CASE(text_content_equals_the_structured_content, mcp_fixture)
{
    auto answer = call_tool("whoami", "{}", token);
    BOOST_TEST(json::serialize(json::parse(answer.text("/result/content/0/text"))) ==
               json_at(answer, "/result/structuredContent"));
}

BOOST_AUTO_TEST_SUITE_END()
